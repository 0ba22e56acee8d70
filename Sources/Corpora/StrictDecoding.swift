import Foundation
import Host
import Yams

/// Reads a mapping of a recipe and refuses keys that it does not know, so that a misspelt option cannot be ignored.
package struct StrictContainer<Key: CodingKey & CaseIterable> {
  private let box: KeyedDecodingContainer<Key>

  package init(_ decoder: any Decoder) throws {
    let known = Key.allCases.map(\.stringValue)
    let given = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).sorted()
    if let unknown = given.first(where: { !known.contains($0) }) {
      throw InputError(
        path: "", place: placeName(decoder.codingPath + [AnyKey(unknown)]),
        expected: "one of the keys \(known.joined(separator: ", "))", found: "unknown key \"\(unknown)\"")
    }
    box = try decoder.container(keyedBy: Key.self)
  }

  package func required<T: Decodable>(_ key: Key, as type: T.Type = T.self) throws -> T { try box.decode(T.self, forKey: key) }

  package func optional<T: Decodable>(_ key: Key, as type: T.Type = T.self) throws -> T? {
    try box.decodeIfPresent(T.self, forKey: key)
  }

  package func value<T: Decodable>(_ key: Key, or usual: T) throws -> T { try box.decodeIfPresent(T.self, forKey: key) ?? usual }

  /// Complains about what `key` holds, or about the mapping itself.
  package func refused(_ key: Key?, expected: String, found: String) -> InputError {
    InputError(path: "", place: placeName(box.codingPath + (key.map { [$0] } ?? [])), expected: expected, found: found)
  }
}

/// Any key of a mapping.
struct AnyKey: CodingKey {
  let stringValue: String
  let intValue: Int?
  init(_ name: String) { (stringValue, intValue) = (name, nil) }
  init(stringValue: String) { (self.stringValue, intValue) = (stringValue, nil) }
  init(intValue: Int) { (stringValue, self.intValue) = (String(intValue), intValue) }
}

/// `sources.[2].labels.[0].name`
func placeName(_ path: [any CodingKey]) -> String {
  path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
}

extension InputError {
  /// The same complaint about the file at `path`, where it named none.
  func located(in path: String) -> InputError {
    self.path.isEmpty ? InputError(kind, path: path, place: place, expected: expected, found: found) : self
  }
}

/// YAML documents as values.
public enum YAMLText {
  /// Decodes `data`, naming `path` and the key path in any error.
  public static func value<T: Decodable>(_ type: T.Type, from data: Data, path: String) throws(InputError) -> T {
    guard let text = String(data: data, encoding: .utf8) else {
      throw InputError(path: path, place: "", expected: "UTF-8 text", found: "other bytes")
    }
    do { return try YAMLDecoder().decode(type, from: text) } catch let error as InputError {
      throw error.located(in: path)
    } catch let error as DecodingError {
      if case .dataCorrupted(let context) = error, let inner = context.underlyingError as? InputError {
        throw inner.located(in: path)
      }
      if case .dataCorrupted(let context) = error, let inner = context.underlyingError as? YamlError {
        throw InputError(path: path, place: "", expected: "YAML", found: "\(inner)")
      }
      throw InputError(decoding: error, path: path)
    } catch {
      throw InputError(path: path, place: "", expected: "YAML", found: "\(error)")
    }
  }

  /// Sorted keys, so that equal values give equal bytes.
  static func data(_ value: some Encodable) throws(InputError) -> Data {
    let encoder = YAMLEncoder()
    encoder.options.sortKeys = true
    do { return Data(try encoder.encode(value).utf8) } catch {
      throw InputError(path: "", place: "\(type(of: value))", expected: "a value that YAML can hold", found: "\(error)")
    }
  }
}
