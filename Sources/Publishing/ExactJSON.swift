import Foundation
import Host

/// JSON files of a published folder, whose bytes follow from their value.
enum ExactJSON {
  /// Reads `T` and throws, naming the key, where the file holds anything that is not part of a `T`.
  static func read<T: Codable>(_ type: T.Type, _ path: String) throws(InputError) -> T {
    let data = try AtomicFile.read(path), value = try CanonicalJSON.value(type, from: data, path: path)
    try compare(data, with: value, path: path)
    return value
  }

  /// Throws, naming the first key that differs, unless `data` is what `value` is written as.
  static func compare(_ data: Data, with value: some Encodable, path: String) throws(InputError) {
    let own = try CanonicalJSON.data(value)
    guard data != own else { return }
    let found = try CanonicalJSON.value(JSONValue.self, from: data, path: path)
    if let difference = try found.firstDifference(from: CanonicalJSON.value(JSONValue.self, from: own, path: path)) {
      throw InputError(path: path, place: difference.place, expected: difference.other, found: difference.own)
    }
    throw InputError(path: path, place: "", expected: "sorted keys, as PSImageNet writes them", found: "other bytes of the same value")
  }
}
