import Networks
import Tensors

/// Two panels exchanged, as in a wrong geometry or behind swapped cables. Where the shot has no panel map, or one of a single panel, the equal
/// tiles of a grid stand for them.
///
/// Panels are exchanged pixel by pixel: each with the one of the other panel that shows the same part of it, where both are each other's
/// nearest. Nothing is resampled, and pixels without such a partner are hidden, exchanged or not.
///
/// Around every panel or tile a border of `gap` pixels is hidden, exchanged or not: edges that do not meet tell nothing then. Of
/// the two only pixels are shown that are measured in both, by as much as a network has to see them: else one that is measured by too little would be
/// hidden in its own place or in its partner's, which answers.
public struct TileSwap: GradedChange {
  public static let name = "tile-swap"
  /// Along each axis, where the detector's panels are not known.
  public var tiles = 3
  public var gap = 1

  public init() {}
  public init(tiles: Int, gap: Int) { (self.tiles, self.gap) = (tiles, gap) }

  public var changes: Set<Transformation> { [.tileOrder] }
  public static var usesPanels: Bool { true }
  public var levels: [String] { ["in place", "two tiles exchanged"] }

  public func validate() throws(SettingError) {
    try SettingError.require((2...16).contains(tiles), "tiles", "2 to 16", tiles)
    try SettingError.require((0...64).contains(gap), "gap", "0 to 64", gap)
  }

  public func validate(side: Int) throws(SettingError) {
    try SettingError.require(side / tiles > 2 * gap, "gap", "less than half of a tile of \(side / tiles) pixels", gap)
  }

  public func changed(_ image: MaskedImage, to level: Int, of shot: Shot, scaling: InputScaling, using random: inout Philox) -> MaskedImage {
    if let map = shot.panels(of: image), let changed = exchanged(image, level, map, minimumWeight: Float(scaling.minimumWeight), using: &random) { return changed }
    let (height, width) = (image.height / tiles, image.width / tiles)
    let first = Int.random(in: 0..<tiles * tiles, using: &random)
    let second = (first + Int.random(in: 1..<tiles * tiles, using: &random)) % (tiles * tiles)
    var changed = image
    let limit = Float(scaling.minimumWeight)
    func place(_ tile: Int, _ row: Int, _ column: Int) -> Int { (tile / tiles * height + row) * image.width + tile % tiles * width + column }
    for row in 0..<height {
      for column in 0..<width {
        let (a, b) = (place(first, row, column), place(second, row, column))
        let isShown = image.weight.elements[a] >= limit && image.weight.elements[b] >= limit
        for (to, from) in level == 1 ? [(a, b), (b, a)] : [(a, a), (b, b)] {
          changed.pixels.elements[to] = isShown ? image.pixels.elements[from] : 0
          changed.weight.elements[to] = isShown ? image.weight.elements[from] : 0
        }
        guard min(row, height - 1 - row, column, width - 1 - column) < gap else { continue }
        for tile in 0..<tiles * tiles {
          changed.pixels.elements[place(tile, row, column)] = 0
          changed.weight.elements[place(tile, row, column)] = 0
        }
      }
    }
    return changed
  }

  /// Two of the panels that show anything beside their borders; `nil` where fewer than two do.
  private func exchanged(_ image: MaskedImage, _ level: Int, _ map: PanelMap, minimumWeight limit: Float, using random: inout Philox) -> MaskedImage? {
    let isEdge = map.isEdge(within: gap), shown = map.panels.elements.indices.map { map.panels.elements[$0] >= 0 && !isEdge[$0] }
    let candidates = Set(shown.indices.filter { shown[$0] }.map { Int(map.panels.elements[$0]) }).sorted()
    guard candidates.count > 1 else { return nil }
    let place = Int.random(in: 0..<candidates.count, using: &random), step = Int.random(in: 1..<candidates.count, using: &random)
    let first = candidates[place], second = candidates[(place + step) % candidates.count]
    var changed = image.masked(to: map.panels.elements.indices.map { i in
      let panel = Int(map.panels.elements[i])
      return !isEdge[i] && panel != first && panel != second
    })
    for (a, b) in map.counterparts(of: first, and: second, among: shown) where image.weight.elements[a] >= limit && image.weight.elements[b] >= limit {
      for (to, from) in level == 1 ? [(a, b), (b, a)] : [(a, a), (b, b)] {
        changed.pixels.elements[to] = image.pixels.elements[from]
        changed.weight.elements[to] = image.weight.elements[from]
      }
    }
    return changed
  }
}
