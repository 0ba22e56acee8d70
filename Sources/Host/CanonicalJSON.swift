import Foundation

/// JSON with sorted keys, so that equal values give equal bytes.
public enum CanonicalJSON {
  public static func data(_ value: some Encodable, pretty: Bool = true) throws(InputError) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = pretty ? [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
    do { return try encoder.encode(value) } catch {
      throw InputError(path: "", place: "\(type(of: value))", expected: "a value that JSON can hold", found: "\(error)")
    }
  }

  /// Decodes `data`, naming `path` and the key path in any error.
  public static func value<T: Decodable>(_ type: T.Type, from data: Data, path: String) throws(InputError) -> T {
    do { return try JSONDecoder().decode(type, from: data) } catch let error as DecodingError {
      throw InputError(decoding: error, path: path)
    } catch let error as InputError {
      throw error
    } catch {
      throw InputError(path: path, place: "", expected: "\(type)", found: "\(error)")
    }
  }
}

extension InputError {
  /// What decoders call a dictionary or an array of anything, as who writes a document calls it.
  private static func words(for type: Any.Type) -> String {
    if type is [String: Any].Type { return "a mapping of keys" }
    return type is [Any].Type ? "a list" : "a value of type \(type)"
  }

  /// Says where in a JSON or YAML document decoding failed, and what was expected there.
  public init(decoding error: DecodingError, path: String) {
    func place(_ context: DecodingError.Context) -> String {
      context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, let context):
      self.init(path: path, place: place(context), expected: "key \"\(key.stringValue)\"", found: "no such key")
    case .typeMismatch(let type, let context):
      self.init(path: path, place: place(context), expected: InputError.words(for: type), found: context.debugDescription)
    case .valueNotFound(let type, let context):
      self.init(path: path, place: place(context), expected: InputError.words(for: type), found: "null")
    case .dataCorrupted(let context):
      if let unknown = context.underlyingError as? UnknownName {
        self.init(path: path, place: place(context), expected: "one of \(unknown.known.joined(separator: ", "))", found: unknown.name)
        return
      }
      self.init(path: path, place: place(context), expected: "well-formed input", found: context.debugDescription)
    @unknown default:
      self.init(path: path, place: "", expected: "well-formed input", found: "\(error)")
    }
  }
}
