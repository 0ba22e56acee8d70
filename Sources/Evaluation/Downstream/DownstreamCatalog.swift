/// Every downstream task by name. One line per file of this folder.
public enum DownstreamTaskCatalog {
  public static let all: [any DownstreamTask.Type] = [Lasing.self, HitFinding.self, EdgeFinding.self, WhichCamera.self]
  public static func named(_ name: String) -> (any DownstreamTask.Type)? { all.first { $0.name == name } }
}
