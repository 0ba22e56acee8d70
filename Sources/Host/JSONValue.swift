import Foundation

/// Any JSON or YAML value, for settings whose type is known only once their name has been read.
public enum JSONValue: Codable, Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  public init(from decoder: any Decoder) throws {
    if let box = try? decoder.container(keyedBy: Key.self) {
      self = .object(try Dictionary(uniqueKeysWithValues: box.allKeys.map { ($0.stringValue, try box.decode(JSONValue.self, forKey: $0)) }))
      return
    }
    if var box = try? decoder.unkeyedContainer() {
      var elements: [JSONValue] = []
      while !box.isAtEnd { elements.append(try box.decode(JSONValue.self)) }
      self = .array(elements)
      return
    }
    let box = try decoder.singleValueContainer()
    if box.decodeNil() { self = .null }
    else if let value = try? box.decode(Bool.self) { self = .bool(value) }
    else if let value = try? box.decode(Int.self) { self = .integer(value) }
    else if let value = try? box.decode(Double.self) { self = .number(value) }
    else { self = .string(try box.decode(String.self)) }
  }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.singleValueContainer()
    switch self {
    case .null: try box.encodeNil()
    case .bool(let value): try box.encode(value)
    case .integer(let value): try box.encode(value)
    case .number(let value): try box.encode(value)
    case .string(let value): try box.encode(value)
    case .array(let value): try box.encode(value)
    case .object(let value): try box.encode(value)
    }
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// `value` as JSON.
  public static func of(_ value: some Encodable) throws(InputError) -> JSONValue {
    try CanonicalJSON.value(JSONValue.self, from: CanonicalJSON.data(value), path: "")
  }

  /// Decodes a value of `type`; `path` and `place` are for messages.
  public func decoded<T: Decodable>(as type: T.Type, path: String, place: String) throws(InputError) -> T {
    do { return try CanonicalJSON.value(type, from: CanonicalJSON.data(self), path: path) } catch {
      if error.place.isEmpty, let misfit = misfits(type).first {
        throw InputError(
          path: path, place: ([place] + misfit.keys).filter { !$0.isEmpty }.joined(separator: "."), expected: misfit.expected, found: misfit.found)
      }
      let inner = [place, error.place].filter { !$0.isEmpty }.joined(separator: ".")
      throw InputError(error.kind, path: path, place: inner, expected: error.expected, found: error.found)
    }
  }

  /// Numbers that do not fit where `type` has them, such as 1.5 where it counts. The decoder says that there is one, but not where.
  private func misfits<T: Decodable>(_ type: T.Type) -> [(keys: [String], expected: String, found: String)] {
    func fits(_ value: JSONValue) -> Bool {
      (try? CanonicalJSON.value(type, from: CanonicalJSON.data(value), path: "")) != nil
    }
    // With a 1 for every number that may be the one, there must be no other fault; then one after the other is put back.
    let suspects = suspects, tame = suspects.reduce(self) { $0.replacing($1.keys[...], by: .integer(1)) }
    guard fits(tame) else { return [] }
    return suspects.filter { !fits(tame.replacing($0.keys[...], by: $0.value)) }.map { keys, value in
      switch value {
      case .number(let number) where number.rounded() != number: (keys, "a whole number", "\(number)")
      case .number(let number): (keys, "a whole number of less size", "\(number)")
      case .integer(let number): (keys, number < 0 ? "0 or more" : "a number of less size", "\(number)")
      case .null, .bool, .string, .array, .object: preconditionFailure("\(value) is no number")
      }
    }
  }

  /// Fractions, numbers beyond 64 bits, negative numbers and large ones: what not every type of numbers holds.
  private var suspects: [(keys: [String], value: JSONValue)] {
    switch self {
    case .number: [([], self)]
    case .integer(let value): 0...127 ~= value ? [] : [([], self)]
    case .array(let elements):
      elements.enumerated().flatMap { index, element in element.suspects.map { (["[\(index)]"] + $0.keys, $0.value) } }
    case .object(let fields):
      fields.sorted { $0.key < $1.key }.flatMap { key, field in field.suspects.map { ([key] + $0.keys, $0.value) } }
    case .null, .bool, .string: []
    }
  }

  /// With the value at `keys`, as `suspects` gives them, replaced.
  private func replacing(_ keys: ArraySlice<String>, by value: JSONValue) -> JSONValue {
    guard let key = keys.first else { return value }
    switch self {
    case .array(var elements):
      let index = Int(key.dropFirst().dropLast())!
      elements[index] = elements[index].replacing(keys.dropFirst(), by: value)
      return .array(elements)
    case .object(var fields):
      fields[key] = fields[key]?.replacing(keys.dropFirst(), by: value)
      return .object(fields)
    default: return self
    }
  }

  /// These settings with `given` laid over them: what is not given keeps its default, and a key that has no default is refused.
  public func overlaid(with given: JSONValue, path: String, place: String) throws(InputError) -> JSONValue {
    guard case .object(var fields) = self, case .object(let wanted) = given else { return given }
    for (key, value) in wanted.sorted(by: { $0.key < $1.key }) {
      let inner = place.isEmpty ? key : "\(place).\(key)"
      guard let usual = fields[key] else {
        throw InputError(
          path: path, place: inner, expected: "one of the keys \(fields.keys.sorted().joined(separator: ", "))",
          found: "unknown key \"\(key)\"")
      }
      fields[key] = try usual.overlaid(with: value, path: path, place: inner)
    }
    return .object(fields)
  }
}

extension JSONValue {
  /// Where `other` first differs, as a key path, with both values; `nil` where it does not.
  public func firstDifference(from other: JSONValue, at place: String = "") throws(InputError) -> (place: String, own: String, other: String)? {
    if case .object(let own) = self, case .object(let others) = other {
      for key in Set(own.keys).union(others.keys).sorted() {
        let inner = place.isEmpty ? key : "\(place).\(key)"
        guard let a = own[key] else { return (inner, "no such key", try others[key]!.text) }
        guard let b = others[key] else { return (inner, try a.text, "no such key") }
        if let difference = try a.firstDifference(from: b, at: inner) { return difference }
      }
      return nil
    }
    return self == other ? nil : (place, try text, try other.text)
  }

  private var text: String {
    get throws(InputError) { String(decoding: try CanonicalJSON.data(self, pretty: false), as: UTF8.self) }
  }
}
