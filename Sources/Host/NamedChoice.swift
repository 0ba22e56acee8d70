/// A choice of a few that documents name; a name that is none of them is refused with those that are.
public protocol NamedChoice: RawRepresentable<String>, CaseIterable, Codable {}

/// Why a named choice could not be read.
struct UnknownName: Error {
  let name: String
  let known: [String]
}

extension NamedChoice {
  /// Throws `DecodingError` for another name; `InputError(decoding:path:)` lists the known ones.
  public init(from decoder: any Decoder) throws {
    let name = try decoder.singleValueContainer().decode(String.self)
    guard let value = Self(rawValue: name) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: name, underlyingError: UnknownName(name: name, known: Self.allCases.map(\.rawValue))))
    }
    self = value
  }
}
