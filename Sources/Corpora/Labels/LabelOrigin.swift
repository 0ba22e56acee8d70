import Frames
import Host
import Instruments

/// Where a label's raw value comes from.
public enum LabelOrigin: Hashable, Sendable {
  /// The same for every picture of the source.
  case constant(String)
  /// The name of the n-th folder above the file; 1 is the one that holds it.
  case folder(level: Int)
  /// A field of the file's metadata: a text, or a number, whole ones without a point. `inspect` lists them.
  case field(String)
  /// A column of a CSV file.
  case table(Table)
  /// A beam-line number sorted into named bins.
  case thresholds(Thresholds)
  /// The first listed event code that the shot carries.
  case eventCodes(EventCodes)
  /// By run number or `experiment:number`.
  case runs([String: String])
  /// An HDF5 dataset of the file itself, one value an event.
  case dataset(String)
  /// What a classical analysis of the file's own frames says.
  case instrument(Instrumented)
  /// Composed of the picture's other labels: the first rule that applies.
  case path([LabelPath])

  /// Joined by the columns `run, seconds, nanoseconds, fiducial` (and `experiment` where the table has it), or by `file` (and
  /// `index`) where the table has that column instead.
  public struct Table: Codable, Hashable, Sendable {
    /// A file, relative to the recipe's folder; may begin with a variable as `FilePattern` has it.
    public var file: String
    public var column: String
    /// Sorts a column of numbers into named bins; as in `Thresholds`.
    public var bins: [Thresholds.Bin]?

    public init(file: String, column: String, bins: [Thresholds.Bin]? = nil) {
      (self.file, self.column, self.bins) = (file, column, bins)
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case file, column, bins }
    public init(from decoder: any Decoder) throws {
      let box = try StrictContainer<CodingKeys>(decoder)
      (file, column, bins) = (try box.required(.file), try box.required(.column), try box.optional(.bins))
      if let bins, !Thresholds.areRising(bins) {
        throw box.refused(.bins, expected: "bins with rising \"below\", only the last without", found: "\(bins.map(\.below))")
      }
    }
  }

  /// `bins` in rising order; a value belongs to the first bin whose `below` it is under. Only the last may have no bound.
  public struct Thresholds: Codable, Hashable, Sendable {
    public var scalar: String
    public var bins: [Bin]

    public struct Bin: Codable, Hashable, Sendable {
      public var name: String
      public var below: Double?
      public init(name: String, below: Double?) { (self.name, self.below) = (name, below) }

      enum CodingKeys: String, CodingKey, CaseIterable { case name, below }
      public init(from decoder: any Decoder) throws {
        let box = try StrictContainer<CodingKeys>(decoder)
        (name, below) = (try box.required(.name), try box.optional(.below))
      }
    }

    public init(scalar: String, bins: [Bin]) { (self.scalar, self.bins) = (scalar, bins) }

    enum CodingKeys: String, CodingKey, CaseIterable { case scalar, bins }
    public init(from decoder: any Decoder) throws {
      let box = try StrictContainer<CodingKeys>(decoder)
      (scalar, bins) = (try box.required(.scalar), try box.required(.bins))
      guard Thresholds.areRising(bins) else {
        throw box.refused(.bins, expected: "bins with rising \"below\", only the last without", found: "\(bins.map(\.below))")
      }
    }

    static func areRising(_ bins: [Bin]) -> Bool {
      !bins.isEmpty
        && zip(bins, bins.dropFirst()).allSatisfy { low, high in
          guard let a = low.below else { return false }
          return high.below.map { a < $0 } ?? true
        }
    }

    /// The bin of a value; `nil` for NaN or a value above the last bound.
    func bin(of value: Double) -> String? {
      guard !value.isNaN else { return nil }
      return bins.first { $0.below.map { value < $0 } ?? true }?.name
    }
  }

  /// One column of an instrument's readings of the file: its verdict (`1`, `0`, or `none` where it could not tell), or a number
  /// sorted into bins.
  public struct Instrumented: Codable, Hashable, Sendable {
    public var choice: InstrumentChoice
    /// The verdict where left out.
    public var column: String?
    public var bins: [Thresholds.Bin]?

    public init(_ choice: InstrumentChoice, column: String? = nil, bins: [Thresholds.Bin]? = nil) {
      (self.choice, self.column, self.bins) = (choice, column, bins)
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case name, settings, column, bins }
    public init(from decoder: any Decoder) throws {
      let box = try StrictContainer<CodingKeys>(decoder)
      choice = InstrumentChoice(name: try box.required(.name), settings: try box.value(.settings, or: .object([:])))
      (column, bins) = (try box.optional(.column), try box.optional(.bins))
      let known = try choice.instrument(path: "").columns
      if let column, !known.contains(column) {
        throw box.refused(.column, expected: "one of \(known.joined(separator: ", "))", found: column)
      }
      if let bins, !Thresholds.areRising(bins) {
        throw box.refused(.bins, expected: "bins with rising \"below\", only the last without", found: "\(bins.map(\.below))")
      }
    }

    public func encode(to encoder: any Encoder) throws {
      var box = encoder.container(keyedBy: CodingKeys.self)
      try box.encode(choice.name, forKey: .name)
      try box.encode(choice.settings, forKey: .settings)
      try box.encodeIfPresent(column, forKey: .column)
      try box.encodeIfPresent(bins, forKey: .bins)
    }

    /// The raw label of every shot of `shots`, by identity.
    func values(of shots: RunShots) throws(InputError) -> [EventID: String] {
      let table = try ReadingTable(try choice.instrument(path: shots.files.first ?? ""), of: shots)
      let column = column ?? table.verdict
      var values: [EventID: String] = [:]
      for (reading, value) in zip(table.readings, table.values(column)) {
        let binned = bins.map { Thresholds(scalar: column, bins: $0).bin(of: value) ?? "none" }
        values[reading.shot.id] = binned ?? (value.isNaN ? "none" : ReadingTable.cell(value))
      }
      return values
    }
  }

  /// `codes` in order of precedence as written; `otherwise` for a shot that carries none of them.
  public struct EventCodes: Codable, Hashable, Sendable {
    public var codes: [Code]
    public var otherwise: String?

    public struct Code: Codable, Hashable, Sendable {
      public var code: Int
      public var name: String
      public init(code: Int, name: String) { (self.code, self.name) = (code, name) }

      enum CodingKeys: String, CodingKey, CaseIterable { case code, name }
      public init(from decoder: any Decoder) throws {
        let box = try StrictContainer<CodingKeys>(decoder)
        (code, name) = (try box.required(.code), try box.required(.name))
      }
    }

    public init(codes: [Code], otherwise: String? = nil) { (self.codes, self.otherwise) = (codes, otherwise) }

    enum CodingKeys: String, CodingKey, CaseIterable { case codes, otherwise }
    public init(from decoder: any Decoder) throws {
      let box = try StrictContainer<CodingKeys>(decoder)
      (codes, otherwise) = (try box.required(.codes), try box.optional(.otherwise))
    }
  }
}
