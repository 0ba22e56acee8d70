import Host

/// One way to compose a label that is a path, such as `cspad/{sample}/{distance}`: detector, use, condition.
///
/// Levels are separated by `/`; `{name}` stands for the picture's label of that name, which a rule before this one gives. The rule
/// applies where every label of `when` has one of the values listed for it and every named label is there.
public struct LabelPath: Codable, Hashable, Sendable {
  /// Label -> values.
  public var when: [String: [String]]
  /// The template.
  public var gives: String

  public init(_ gives: String, when: [String: [String]] = [:]) { (self.gives, self.when) = (gives, when) }

  /// What a path is written with between its levels.
  public static let separator: Character = "/"

  /// The labels that the rule looks at.
  var labels: [String] { when.keys.sorted() + parts.compactMap { $0.isLabel ? $0.text : nil } }

  /// The path for a picture with `labels`; `nil` where the rule does not apply.
  func value(of labels: [String: String]) -> String? {
    for (name, values) in when { guard let own = labels[name], values.contains(own) else { return nil } }
    var path = ""
    for part in parts {
      guard part.isLabel else {
        path += part.text
        continue
      }
      guard let own = labels[part.text] else { return nil }
      path += own
    }
    return path
  }

  /// Text and labels in turn.
  private var parts: [(text: String, isLabel: Bool)] {
    gives.split(separator: "{", omittingEmptySubsequences: false).enumerated().flatMap { index, piece -> [(text: String, isLabel: Bool)] in
      guard index > 0, let end = piece.firstIndex(of: "}") else { return [(String(piece), false)] }
      return [(String(piece[..<end]), true), (String(piece[piece.index(after: end)...]), false)]
    }
  }

  /// Every `{` closed by a `}` around a name, and no empty level.
  private var isWellFormed: Bool {
    var open = false
    for character in gives {
      if character == "{" || character == "}" {
        guard (character == "{") != open else { return false }
        open.toggle()
      }
    }
    let levels = gives.split(separator: LabelPath.separator, omittingEmptySubsequences: false)
    return !open && levels.allSatisfy { !$0.isEmpty } && parts.allSatisfy { !$0.isLabel || !$0.text.isEmpty }
  }

  private static let form = "levels separated by /, none empty, with {label} for another label's value"

  enum CodingKeys: String, CodingKey, CaseIterable {
    case when
    case gives = "is"
  }

  public init(from decoder: any Decoder) throws {
    let box = try StrictContainer<CodingKeys>(decoder)
    gives = try box.required(.gives)
    when = try box.value(.when, or: [String: OneOrMore]()).mapValues(\.values)
    guard isWellFormed else {
      throw box.refused(.gives, expected: LabelPath.form, found: "\"\(gives)\"")
    }
  }

  /// In a recipe: `path: xtcav/{beam}`, or a list of `{when: {beam: dark}, is: xtcav/dark}`, of which the first that applies counts.
  struct Rules: Decodable {
    let list: [LabelPath]
    init(from decoder: any Decoder) throws {
      var rules: [LabelPath]
      do { rules = [LabelPath(try decoder.singleValueContainer().decode(String.self))] } catch is DecodingError {
        rules = try decoder.singleValueContainer().decode([LabelPath].self)
      }
      guard !rules.isEmpty else { throw LabelPath.refusal(decoder, "at least one rule", "none") }
      if let bad = rules.first(where: { !$0.isWellFormed }) { throw LabelPath.refusal(decoder, LabelPath.form, "\"\(bad.gives)\"") }
      list = rules
    }
  }

  private static func refusal(_ decoder: any Decoder, _ expected: String, _ found: String) -> InputError {
    InputError(path: "", place: placeName(decoder.codingPath), expected: expected, found: found)
  }
}

/// A word, or a list of words.
private struct OneOrMore: Decodable {
  let values: [String]
  init(from decoder: any Decoder) throws {
    let box = try decoder.singleValueContainer()
    do { values = [try box.decode(String.self)] } catch is DecodingError { values = try box.decode([String].self) }
  }
}
