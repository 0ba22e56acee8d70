import Foundation
import Host

/// The experiment of a source's files.
public enum ExperimentRule: Codable, Hashable, Sendable {
  /// As the file says; where it says neither experiment nor run, the name of the folder that holds it.
  case recorded
  /// The name of the n-th folder above the file.
  case folder(level: Int)
  case named(String)

  private struct Mapping: Decodable {
    let folder: Int
    enum CodingKeys: String, CodingKey, CaseIterable { case folder }
    init(from decoder: any Decoder) throws {
      let box = try StrictContainer<CodingKeys>(decoder)
      folder = try box.required(.folder)
      guard folder >= 1 else { throw box.refused(.folder, expected: "1 or more", found: "\(folder)") }
    }
  }

  /// `recorded`, `{folder: 1}`, or a name.
  public init(from decoder: any Decoder) throws {
    switch try TextOrMapping<Mapping>(from: decoder) {
    case .text("recorded"): self = .recorded
    case .text(let name): self = .named(name)
    case .mapping(let mapping): self = .folder(level: mapping.folder)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.singleValueContainer()
    switch self {
    case .recorded: try box.encode("recorded")
    case .named(let name): try box.encode(name)
    case .folder(let level): try box.encode(["folder": level])
    }
  }
}

/// The run number of a source's pictures. Runs are what splits keep together.
public enum RunRule: Codable, Hashable, Sendable {
  /// As the file says.
  case recorded
  /// The digits that end the parent folder's name.
  case folder
  /// The place of the file in the source's sorted list, from 0.
  case index
  case number(Int)
  /// Each n consecutive pictures of one experiment. Neighbouring blocks are still neighbours in time.
  case block(of: Int)

  private struct Mapping: Decodable {
    let number: Int?
    let blockOf: Int?
    enum CodingKeys: String, CodingKey, CaseIterable { case number, blockOf }
    init(from decoder: any Decoder) throws {
      let box = try StrictContainer<CodingKeys>(decoder)
      (number, blockOf) = (try box.optional(.number), try box.optional(.blockOf))
      guard (number == nil) != (blockOf == nil) else {
        throw box.refused(nil, expected: "either number or blockOf", found: "both or neither")
      }
      if let blockOf, blockOf < 1 { throw box.refused(.blockOf, expected: "1 or more", found: "\(blockOf)") }
    }
  }

  /// `recorded`, `folder`, `index`, a number, `{number: 3}` or `{blockOf: 10}`.
  public init(from decoder: any Decoder) throws {
    switch try TextOrMapping<Mapping>(from: decoder) {
    case .text("recorded"): self = .recorded
    case .text("folder"): self = .folder
    case .text("index"): self = .index
    case .text(let text):
      guard let number = Int(text) else {
        throw InputError(
          path: "", place: placeName(decoder.codingPath),
          expected: "recorded, folder, index, a number, {number: …} or {blockOf: …}", found: "\"\(text)\"")
      }
      self = .number(number)
    case .mapping(let mapping):
      self = mapping.number.map { .number($0) } ?? .block(of: mapping.blockOf ?? 1)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.singleValueContainer()
    switch self {
    case .recorded: try box.encode("recorded")
    case .folder: try box.encode("folder")
    case .index: try box.encode("index")
    case .number(let number): try box.encode(["number": number])
    case .block(let count): try box.encode(["blockOf": count])
    }
  }

  /// 10 for `…/run0010` and `…/r10`; throws where the name does not end in digits.
  static func trailingNumber(ofFolder name: String, path: String) throws(InputError) -> Int {
    let digits = String(name.reversed().prefix { $0.isASCII && $0.isNumber }.reversed())
    guard let number = Int(digits) else {
      throw InputError(path: path, place: "folder", expected: "a folder name that ends in a run number", found: "\"\(name)\"")
    }
    return number
  }
}

/// A YAML value that is written either as one word or as a mapping.
private enum TextOrMapping<Mapping: Decodable>: Decodable {
  case text(String), mapping(Mapping)

  init(from decoder: any Decoder) throws {
    do {
      self = .text(try decoder.singleValueContainer().decode(String.self))
    } catch is DecodingError {
      self = .mapping(try Mapping(from: decoder))
    }
  }
}

/// The name of the n-th folder above a file; throws where the path is not that deep.
func folderName(_ path: String, level: Int) throws(InputError) -> String {
  let parts = URL(fileURLWithPath: path).standardizedFileURL.path.split(separator: "/")
  guard level < parts.count else {
    throw InputError(path: path, place: "folder \(level)", expected: "a path that deep", found: "\(parts.count - 1) folders")
  }
  return String(parts[parts.count - 1 - level])
}
