/// Every pretext task by name. One line per file of this folder.
public enum PretextTaskCatalog {
  public static let all: [any PretextTask.Type] = [Flip.self, CropPosition.self, FrameClass.self, SingleImage.self]

  public static func named(_ name: String) -> (any PretextTask.Type)? { all.first { $0.name == name } }
}
