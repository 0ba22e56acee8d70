import Host

/// What to simulate: everything that determines the files, byte for byte.
public struct SimulationPlan: Codable, Hashable, Sendable {
  public enum Camera: String, Codable, Sendable, CaseIterable { case cspad, timetool, xtcav }

  public var detector: Camera
  public var experiment = "simx00126"
  /// Run numbers, each with its own nuisances (pedestals, gain, geometry, background, calibration of the axes).
  public var runs: [Int] = [1, 2, 3, 4]
  /// Shots with beam a run.
  public var shotsPerRun = 100
  /// Beam-off shots a run (event code 162), spread over it.
  public var darksPerRun = 5
  public var seed: UInt64 = 0
  /// Ties the label (hit, edge, lasing) to the run: 95 % in every other run, 5 % in the rest. For showing what a leak does.
  public var confounded = false
  public var cspad = CSPADSimulator.Parameters()
  public var timeTool = TimeToolSimulator.Parameters()
  public var xtcav = XTCAVSimulator.Parameters()
  /// Conditions that change from shot to shot; none leaves the detector's parameters to all shots.
  public var designs: [ConditionDesign] = []

  public init(detector: Camera) { self.detector = detector }

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case detector, experiment, runs, shotsPerRun, darksPerRun, seed, confounded, cspad, timeTool, xtcav, designs
  }

  /// The shots that visit every condition of the designs.
  public var cycleLength: Int { designs.reduce(0) { $0 + $1.count * $1.repeats } }

  /// Keys that are absent keep their defaults, those of a detector's parameters too; `shotsPerRun` is then one shot of each condition.
  public init(from decoder: any Decoder) throws {
    let given = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).sorted()
    let known = CodingKeys.allCases.map(\.rawValue)
    if let unknown = given.first(where: { !known.contains($0) }) {
      throw InputError(
        path: "simulation plan", place: unknown, expected: "one of the keys \(known.joined(separator: ", "))", found: "unknown key \"\(unknown)\"")
    }
    let box = try decoder.container(keyedBy: CodingKeys.self)
    self.init(detector: try box.decode(Camera.self, forKey: .detector))
    experiment = try box.decodeIfPresent(String.self, forKey: .experiment) ?? experiment
    runs = try box.decodeIfPresent([Int].self, forKey: .runs) ?? runs
    designs = try box.decodeIfPresent([ConditionDesign].self, forKey: .designs) ?? []
    shotsPerRun = try box.decodeIfPresent(Int.self, forKey: .shotsPerRun) ?? (designs.isEmpty ? shotsPerRun : cycleLength)
    darksPerRun = try box.decodeIfPresent(Int.self, forKey: .darksPerRun) ?? darksPerRun
    seed = try box.decodeIfPresent(UInt64.self, forKey: .seed) ?? seed
    confounded = try box.decodeIfPresent(Bool.self, forKey: .confounded) ?? confounded
    cspad = try Self.overlaid(cspad, box.decodeIfPresent([String: JSONValue].self, forKey: .cspad), "cspad")
    timeTool = try Self.overlaid(timeTool, box.decodeIfPresent([String: JSONValue].self, forKey: .timeTool), "timeTool")
    xtcav = try Self.overlaid(xtcav, box.decodeIfPresent([String: JSONValue].self, forKey: .xtcav), "xtcav")
  }

  private static func overlaid<Parameters: ShotParameters>(
    _ usual: Parameters, _ given: [String: JSONValue]?, _ place: String
  ) throws(InputError) -> Parameters {
    guard let given else { return usual }
    guard case .object(let fields) = try JSONValue.of(usual) else { preconditionFailure("parameters are a mapping") }
    return try Conditions.overlaid(usual, with: given, keys: Parameters.shotKeys.union(fields.keys), place: place)
  }

  private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// Throws at the first number that no run can have.
  func validate() throws(InputError) {
    func require(_ condition: Bool, _ place: String, _ expected: String, _ found: String) throws(InputError) {
      if !condition { throw InputError(path: "simulation plan", place: place, expected: expected, found: found) }
    }
    try require(!runs.isEmpty && Set(runs).count == runs.count, "runs", "different run numbers", "\(runs)")
    try require(runs.allSatisfy { (1...9999).contains($0) }, "runs", "numbers of 1...9999", "\(runs)")
    try require((0...40_000).contains(shotsPerRun), "shotsPerRun", "0...40000", "\(shotsPerRun)")
    try require((0...3000).contains(darksPerRun), "darksPerRun", "0...3000", "\(darksPerRun)")
    try require(shotsPerRun + darksPerRun > 0, "shotsPerRun", "at least one shot", "0")
    let letters = experiment.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
    try require(!experiment.isEmpty && letters, "experiment", "letters and digits", experiment)
    switch detector {
    case .cspad: if let (place, expected, found) = cspad.fault { try require(false, "cspad." + place, expected, found) }
    case .timetool: if let (place, expected, found) = timeTool.fault { try require(false, "timeTool." + place, expected, found) }
    case .xtcav: if let (place, expected, found) = xtcav.fault { try require(false, "xtcav." + place, expected, found) }
    }
    switch detector {
    case .cspad: _ = try Conditions(designs, base: cspad, taken: CSPADSimulator.columns)
    case .timetool: _ = try Conditions(designs, base: timeTool, taken: TimeToolSimulator.columns)
    case .xtcav: _ = try Conditions(designs, base: xtcav, taken: XTCAVSimulator.columns)
    }
  }

  /// The chance that a beam shot of the run at `position` has the label.
  func labelRate(_ rate: Double, position: Int) -> Double { confounded ? (position % 2 == 0 ? 0.95 : 0.05) : rate }
}

/// Why a parameter cannot be used: its name, what it has to be, what it is.
typealias ParameterFault = (place: String, expected: String, found: String)

func rateFault(_ rates: KeyValuePairs<String, Double>) -> ParameterFault? {
  for (name, rate) in rates where !(0...1).contains(rate) { return (name, "a share of 0...1", "\(rate)") }
  return nil
}

/// Ranges and single numbers that must lie within `limits`, which keep a run simulable.
func spanFault(_ spans: KeyValuePairs<String, (ClosedRange<Double>, ClosedRange<Double>)>) -> ParameterFault? {
  for (name, (span, limits)) in spans where !(limits.contains(span.lowerBound) && limits.contains(span.upperBound)) {
    return (name, "within \(limits)", "\(span)")
  }
  return nil
}

/// One number as a range; NaN, which no range can hold, as one that fits no limits.
func single(_ value: Double) -> ClosedRange<Double> { value.isNaN ? -Double.infinity...Double.infinity : value...value }
