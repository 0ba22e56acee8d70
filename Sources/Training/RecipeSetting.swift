import Foundation
import Host
import Yams

/// One change to a recipe, as a command line gives it: `task.settings.jitter.noise=0.1`.
public struct RecipeSetting: Hashable, Sendable {
  /// From the outermost key inwards.
  public let keys: [String]
  public let value: JSONValue

  public init(_ keys: [String], _ value: JSONValue) { (self.keys, self.value) = (keys, value) }

  /// Reads `a.b=value`, the value in YAML; `nil` without a key or a `=`. Words of `name`, `include` and `exclude` stay words:
  /// `include.beam=[off]`. A task, backbone, optimiser or augmentation may be given by its bare name: `task=jigsaw`.
  public init?(parsing text: String) {
    guard let equals = text.firstIndex(of: "=") else { return nil }
    let keys = text[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard keys.allSatisfy({ !$0.isEmpty }) else { return nil }
    let yaml = String(text[text.index(after: equals)...])
    let isWords = ["name", "include", "exclude", "corpus", "about", "initialWeights"].contains(keys[0])
    do {
      value = isWords ? try YAMLDecoder().decode(Words.self, from: yaml).value : try YAMLDecoder().decode(JSONValue.self, from: yaml)
    } catch { return nil }
    self.keys = keys
  }

  /// A word, or lists and mappings of words.
  private struct Words: Decodable {
    let value: JSONValue
    init(from decoder: any Decoder) throws {
      let box = try decoder.singleValueContainer()
      if let word = try? box.decode(String.self) { value = .string(word) }
      else if let list = try? box.decode([String].self) { value = .array(list.map { .string($0) }) }
      else { value = .object(try box.decode([String: [String]].self).mapValues { .array($0.map { .string($0) }) }) }
    }
  }

  /// `fields` with this change. Throws where the way leads through something that has no keys.
  func applied(to fields: [String: JSONValue], path: String) throws(InputError) -> [String: JSONValue] {
    RecipeSetting.spelledOut(try applied(to: fields, keys[...], path))
  }

  /// The same recipe with `{name: jigsaw}` for a bare `jigsaw`, wherever a name and settings are meant.
  static func spelledOut(_ fields: [String: JSONValue]) -> [String: JSONValue] {
    func named(_ value: JSONValue) -> JSONValue { if case .string = value { .object(["name": value]) } else { value } }
    var fields = fields
    for key in ["task", "backbone", "optimizer"] { fields[key] = fields[key].map(named) }
    if case .array(let list)? = fields["augmentations"] { fields["augmentations"] = .array(list.map(named)) }
    return fields
  }

  private func applied(to fields: [String: JSONValue], _ keys: ArraySlice<String>, _ path: String) throws(InputError) -> [String: JSONValue] {
    var fields = fields
    let key = keys.first!, rest = keys.dropFirst()
    if rest.isEmpty {
      fields[key] = value
      return fields
    }
    switch fields[key] ?? .object([:]) {
    case .object(let inner): fields[key] = .object(try applied(to: inner, rest, path))
    default:
      throw InputError(
        path: path, place: self.keys.prefix(self.keys.count - rest.count).joined(separator: "."), expected: "a mapping of keys",
        found: "a value, so that \(self.keys.joined(separator: ".")) cannot be set")
    }
    return fields
  }
}
