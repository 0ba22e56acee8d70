/// Every probe, by name.
public enum ProbeCatalog {
  public static let all: [any Probe.Type] = [
    LinearProbe.self,
    NearestNeighbours.self,
  ]

  /// The probe called `name` with its default settings, or `nil` where there is none.
  public static func probe(named name: String) -> (any Probe)? {
    all.first { $0.name == name }.map { $0.init() }
  }
}
