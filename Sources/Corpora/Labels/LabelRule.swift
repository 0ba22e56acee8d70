import Host

/// How a picture gets one label: where the raw value comes from, and what it is called.
///
/// The raw value is looked up in `values` where that is given (a value it does not list is an error; one mapped to `drop`
/// drops the picture, counted in the manifest) and must then be one of `classes` where that is given.
public struct LabelRule: Codable, Hashable, Sendable {
  /// The class that means: leave the picture out.
  public static let drop = "drop"

  /// What to do with a picture for which the origin has nothing.
  public enum Absence: String, Codable, Sendable, CaseIterable {
    case error
    /// Leave the picture out, counted.
    case drop
    /// Keep the picture without this label.
    case omit
  }

  public var name: String
  public var origin: LabelOrigin
  public var values: [String: String]?
  public var classes: [String]?
  public var missing: Absence

  public init(
    name: String, _ origin: LabelOrigin, values: [String: String]? = nil, classes: [String]? = nil, missing: Absence = .error
  ) {
    (self.name, self.origin, self.values, self.classes, self.missing) = (name, origin, values, classes, missing)
  }

  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, values, classes, missing
    case constant, folder, field, table, thresholds, eventCodes, runs, dataset, instrument, path
  }

  public init(from decoder: any Decoder) throws {
    let box = try StrictContainer<CodingKeys>(decoder)
    name = try box.required(.name)
    guard !name.isEmpty, name.utf8.allSatisfy({ $0 == 0x5F || $0 == 0x2D || isAlphanumeric($0) }) else {
      throw box.refused(.name, expected: "letters, digits, - and _", found: "\"\(name)\"")
    }
    values = try box.optional(.values)
    classes = try box.optional(.classes)
    let absence: String = try box.value(.missing, or: Absence.error.rawValue)
    guard let missing = Absence(rawValue: absence) else {
      throw box.refused(.missing, expected: "error, drop or omit", found: absence)
    }
    self.missing = missing
    var origins: [LabelOrigin] = []
    if let text: String = try box.optional(.constant) { origins.append(.constant(text)) }
    if let level: Int = try box.optional(.folder) {
      guard level >= 1 else { throw box.refused(.folder, expected: "1 for the parent folder, 2 for its parent, …", found: "\(level)") }
      origins.append(.folder(level: level))
    }
    if let name: String = try box.optional(.field) { origins.append(.field(name)) }
    if let table: LabelOrigin.Table = try box.optional(.table) { origins.append(.table(table)) }
    if let bins: LabelOrigin.Thresholds = try box.optional(.thresholds) { origins.append(.thresholds(bins)) }
    if let codes: LabelOrigin.EventCodes = try box.optional(.eventCodes) { origins.append(.eventCodes(codes)) }
    if let runs: [String: String] = try box.optional(.runs) {
      for key in runs.keys.sorted() where RunKey(key) == nil && Int(key) == nil {
        throw box.refused(.runs, expected: "run numbers or experiment:number", found: "\"\(key)\"")
      }
      origins.append(.runs(runs))
    }
    if let path: String = try box.optional(.dataset) { origins.append(.dataset(path)) }
    if let instrument: LabelOrigin.Instrumented = try box.optional(.instrument) { origins.append(.instrument(instrument)) }
    if let rules: LabelPath.Rules = try box.optional(.path) { origins.append(.path(rules.list)) }
    guard origins.count == 1 else {
      throw box.refused(
        nil, expected: "exactly one of constant, folder, field, table, thresholds, eventCodes, runs, dataset, instrument, path", found: "\(origins.count)")
    }
    origin = origins[0]
    if let values, let classes {
      for (raw, value) in values.sorted(by: { $0.key < $1.key }) where value != LabelRule.drop && !classes.contains(value) {
        throw box.refused(.values, expected: "classes out of \(classes.joined(separator: ", "))", found: "\(raw): \(value)")
      }
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: CodingKeys.self)
    try box.encode(name, forKey: .name)
    try box.encodeIfPresent(values, forKey: .values)
    try box.encodeIfPresent(classes, forKey: .classes)
    try box.encode(missing, forKey: .missing)
    switch origin {
    case .constant(let text): try box.encode(text, forKey: .constant)
    case .folder(let level): try box.encode(level, forKey: .folder)
    case .field(let name): try box.encode(name, forKey: .field)
    case .table(let table): try box.encode(table, forKey: .table)
    case .thresholds(let bins): try box.encode(bins, forKey: .thresholds)
    case .eventCodes(let codes): try box.encode(codes, forKey: .eventCodes)
    case .runs(let runs): try box.encode(runs, forKey: .runs)
    case .dataset(let path): try box.encode(path, forKey: .dataset)
    case .instrument(let instrument): try box.encode(instrument, forKey: .instrument)
    case .path(let rules): try box.encode(rules, forKey: .path)
    }
  }

  /// What becomes of a raw value.
  enum Outcome: Equatable {
    case label(String)
    /// Left out, and why.
    case dropped(String)
    /// Kept without this label.
    case none
  }

  /// Applies `values` and `classes`; `path` and `place` say which picture.
  func outcome(of raw: String?, path: String, place: String) throws(InputError) -> Outcome {
    guard let raw else {
      switch missing {
      case .drop: return .dropped("label \(name): missing")
      case .omit: return .none
      case .error:
        throw InputError(path: path, place: place, expected: "a value for label \(name)", found: "nothing (missing: error)")
      }
    }
    var value = raw
    if let values {
      guard let mapped = values[raw] else {
        throw InputError(
          path: path, place: place, expected: "label \(name) out of the values \(values.keys.sorted().joined(separator: ", "))",
          found: "\(raw)")
      }
      value = mapped
    }
    if value == LabelRule.drop { return .dropped("label \(name): \(raw)") }
    if let classes, !classes.contains(value) {
      throw InputError(
        path: path, place: place, expected: "label \(name) out of the classes \(classes.joined(separator: ", "))", found: value)
    }
    return .label(value)
  }
}

func isAlphanumeric(_ byte: UInt8) -> Bool {
  (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
}
