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
      let inner = [place, error.place].filter { !$0.isEmpty }.joined(separator: ".")
      throw InputError(error.kind, path: path, place: inner, expected: error.expected, found: error.found)
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
