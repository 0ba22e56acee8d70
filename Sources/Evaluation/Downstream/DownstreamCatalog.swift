import Corpora
import Host

/// Every downstream task by name. One line per file of this folder.
public enum DownstreamTaskCatalog {
  public static let all: [DownstreamTask] = [.lasing, .hitFinding, .edgeFinding, .whichCamera]
  public static func named(_ name: String) -> DownstreamTask? { all.first { $0.name == name } }
}

extension Corpus {
  /// The task of that name, or the question after the label of that name. Throws for neither, listing what there is.
  public func downstreamTask(_ name: String) throws(InputError) -> DownstreamTask {
    if let task = DownstreamTaskCatalog.named(name) { return task }
    guard labels.contains(name) else {
      throw InputError(
        path: folder, place: "labels", expected: "the label of task \"\(name)\"",
        found: "labels \(labels.joined(separator: ", ")), and the tasks \(DownstreamTaskCatalog.all.map(\.name).joined(separator: ", "))")
    }
    return DownstreamTask(label: name)
  }
}
