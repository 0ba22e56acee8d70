import Host

/// Conditions that change from shot to shot: every combination of the levels of some factors, as a scan in random order visits them.
///
/// A run visits all conditions of its plan (each `repeats` times), in an order of its own, before it begins again; so no condition is a run, none
/// has a place in the run, and every run has them all. The truth table gets the columns `use` and one for each factor.
public struct ConditionDesign: Codable, Hashable, Sendable {
  /// What the shots are of, such as `two-bunch`; the value of the truth column `use`.
  public var use: String
  /// Parameters that all conditions of the design share.
  public var set: [String: JSONValue]
  public var factors: [Factor]
  /// How often a cycle visits each condition.
  public var repeats: Int

  public struct Factor: Codable, Hashable, Sendable {
    /// The truth column.
    public var name: String
    public var levels: [Level]
    public init(_ name: String, _ levels: [Level]) { (self.name, self.levels) = (name, levels) }
  }

  public struct Level: Codable, Hashable, Sendable {
    /// The value in the truth column.
    public var name: String
    /// The detector's parameters that make it, by their names.
    public var set: [String: JSONValue]
    public init(_ name: String, _ set: [String: JSONValue] = [:]) { (self.name, self.set) = (name, set) }
  }

  public init(use: String, set: [String: JSONValue] = [:], factors: [Factor] = [], repeats: Int = 1) {
    (self.use, self.set, self.factors, self.repeats) = (use, set, factors, repeats)
  }

  private enum CodingKeys: String, CodingKey { case use, set, factors, repeats }
  public init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: CodingKeys.self)
    use = try box.decode(String.self, forKey: .use)
    set = try box.decodeIfPresent([String: JSONValue].self, forKey: .set) ?? [:]
    factors = try box.decodeIfPresent([Factor].self, forKey: .factors) ?? []
    repeats = try box.decodeIfPresent(Int.self, forKey: .repeats) ?? 1
  }

  /// The number of its conditions.
  public var count: Int { factors.reduce(1) { $0 * $1.levels.count } }

  /// The level of each factor in condition `number`, the last factor changing fastest.
  func levels(of number: Int) -> [Level] {
    var rest = number, levels: [Level] = []
    for factor in factors.reversed() {
      levels.append(factor.levels[rest % factor.levels.count])
      rest /= factor.levels.count
    }
    return levels.reversed()
  }
}

extension ConditionDesign.Level {
  private enum CodingKeys: String, CodingKey { case name, set }
  public init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: CodingKeys.self)
    self.init(try box.decode(String.self, forKey: .name), try box.decodeIfPresent([String: JSONValue].self, forKey: .set) ?? [:])
  }
}

/// A detector's parameters, some of which a condition may change from shot to shot.
protocol ShotParameters: Codable, Hashable, Sendable {
  init()
  /// The names of those that are drawn for each shot. Others are settled once a run: pedestals, frame size, noise.
  static var shotKeys: Set<String> { get }
  var fault: ParameterFault? { get }
}

/// The conditions of a plan, with the parameters of each.
struct Conditions<Parameters: ShotParameters>: Sendable {
  struct Condition: Sendable {
    var parameters: Parameters
    /// The truth columns, in the order of `columns`.
    var names: [String]
  }

  /// `use` and the factors of all designs, each once.
  let columns: [String]
  let all: [Condition]
  /// The shots of one cycle: indices into `all`.
  let cycle: [Int]

  /// Throws for a parameter that the detector has not or that a shot cannot change, and for conditions that cannot be told apart.
  /// `taken` are the detector's own truth columns.
  init(_ designs: [ConditionDesign], base: Parameters, taken: [String]) throws(InputError) {
    var columns: [String] = designs.isEmpty ? [] : ["use"], all: [Condition] = [], cycle: [Int] = [], seen: Set<[String]> = []
    func refused(_ place: String, _ expected: String, _ found: String) -> InputError {
      InputError(path: "simulation plan", place: place, expected: expected, found: found)
    }
    for design in designs {
      for factor in design.factors {
        guard !factor.levels.isEmpty, Set(factor.levels.map(\.name)).count == factor.levels.count else {
          throw refused("designs \(design.use), \(factor.name)", "levels of different names", "\(factor.levels.map(\.name))")
        }
        guard factor.name != "use", factor.name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }), !factor.name.isEmpty else {
          throw refused("designs \(design.use)", "factor names of letters, digits and _, other than use", "\"\(factor.name)\"")
        }
        guard !taken.contains(factor.name) else {
          throw refused("designs \(design.use)", "a factor that is no truth column of the detector", factor.name)
        }
        if !columns.contains(factor.name) { columns.append(factor.name) }
      }
      guard Set(design.factors.map(\.name)).count == design.factors.count else {
        throw refused("designs \(design.use)", "different factors", "\(design.factors.map(\.name))")
      }
    }
    for design in designs where !(1...1000).contains(design.repeats) {
      throw refused("designs \(design.use), repeats", "1 to 1000", "\(design.repeats)")
    }
    let count = designs.reduce(0) { $0 + min(1_000_000, $1.count) * $1.repeats }
    guard count <= 40_000 else { throw refused("designs", "at most 40000 conditions", "\(count)") }
    for design in designs {
      for number in 0..<design.count {
        let levels = design.levels(of: number)
        var names = [String](repeating: "", count: columns.count), given = design.set
        names[0] = design.use
        for (factor, level) in zip(design.factors, levels) {
          names[columns.firstIndex(of: factor.name)!] = level.name
          given.merge(level.set) { _, later in later }
        }
        for word in names where word.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) {
          throw refused("designs \(design.use)", "names without commas, quotes and line ends", "\"\(word)\"")
        }
        let place = "designs \(design.use) \(levels.map(\.name).joined(separator: "/"))"
        guard seen.insert(names).inserted else { throw refused(place, "conditions of different names", "\(names)") }
        let parameters = try Self.overlaid(base, with: given, keys: Parameters.shotKeys, place: place)
        if let fault = parameters.fault { throw refused("\(place), \(fault.place)", fault.expected, fault.found) }
        cycle += Array(repeating: all.count, count: design.repeats)
        all.append(Condition(parameters: parameters, names: names))
      }
    }
    self.columns = columns
    self.all = all
    self.cycle = cycle
  }

  /// `base` with some parameters changed; a name that is not among `keys` is refused.
  static func overlaid(
    _ base: Parameters, with given: [String: JSONValue], keys: Set<String>, place: String
  ) throws(InputError) -> Parameters {
    guard case .object(var fields) = try JSONValue.of(base) else { preconditionFailure("parameters are a mapping") }
    for (key, value) in given.sorted(by: { $0.key < $1.key }) {
      guard keys.contains(key) else {
        throw InputError(
          path: "simulation plan", place: place, expected: "one of the parameters \(keys.sorted().joined(separator: ", "))", found: "\"\(key)\"")
      }
      fields[key] = value
    }
    return try JSONValue.object(fields).decoded(as: Parameters.self, path: "simulation plan", place: place)
  }
}
