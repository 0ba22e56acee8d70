extension Symmetry: CustomStringConvertible {
  public var description: String {
    switch self {
    case .identity: "nothing"
    case .mirror: "mirroring left and right"
    case .upsideDown: "mirroring up and down"
    case .quarterTurn: "a quarter turn left"
    case .quarterTurn.inverse: "a quarter turn right"
    case .halfTurn: "a half turn"
    case .transposition: "transposing"
    default: "transposing about the other diagonal"
    }
  }
}

extension Symmetry: Codable {
  /// The names in recipes.
  private static let keywords: [(name: String, symmetry: Symmetry)] = [
    ("none", .identity), ("left-right", .mirror), ("up-down", .upsideDown), ("half-turn", .halfTurn), ("quarter-turn-left", .quarterTurn),
    ("quarter-turn-right", .quarterTurn.inverse), ("transposed", .transposition), ("transposed-across", .transposition.followed(by: .halfTurn)),
  ]

  /// `none`, `left-right`, `up-down`, `half-turn`, `quarter-turn-left`, `quarter-turn-right`, `transposed`, `transposed-across`.
  public var keyword: String { Symmetry.keywords.first { $0.symmetry == self }!.name }

  /// `nil` for another word than those of `keyword`.
  public init?(keyword: String) {
    guard let known = Symmetry.keywords.first(where: { $0.name == keyword }) else { return nil }
    self = known.symmetry
  }

  /// A `keyword`.
  public init(from decoder: any Decoder) throws {
    let box = try decoder.singleValueContainer(), word = try box.decode(String.self)
    guard let known = Symmetry(keyword: word) else {
      let names = Symmetry.keywords.map(\.name).joined(separator: ", ")
      throw DecodingError.dataCorruptedError(in: box, debugDescription: "expected \(names), found \(word)")
    }
    self = known
  }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.singleValueContainer()
    try box.encode(keyword)
  }
}
