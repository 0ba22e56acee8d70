/// Every backbone by name. One line per file of this folder.
public enum BackboneCatalog {
  public static let all: [any Backbone.Type] = [ResNet18.self, ResNet10.self, LeNet5.self]

  public static func named(_ name: String) -> (any Backbone.Type)? { all.first { $0.name == name } }
}
