import Networks
import Tensors

/// Two of the equal tiles of a grid exchanged, as panels are in a wrong geometry. Where no map of the panels is known, tiles stand for them.
///
/// Around every tile a border of `gap` pixels is hidden, exchanged or not, as between panels: edges that do not meet tell nothing then. Of
/// the two tiles only pixels that are measured in both are shown.
public struct TileSwap: GradedChange {
  public static let name = "tile-swap"
  /// Along each axis.
  public var tiles = 3
  public var gap = 1

  public init() {}
  public init(tiles: Int, gap: Int) { (self.tiles, self.gap) = (tiles, gap) }

  public var changes: Set<Transformation> { [.tileOrder] }
  public var levels: [String] { ["in place", "two tiles exchanged"] }

  public func validate() throws(SettingError) {
    try SettingError.require((2...16).contains(tiles), "tiles", "2 to 16", tiles)
    try SettingError.require((0...64).contains(gap), "gap", "0 to 64", gap)
  }

  public func validate(side: Int) throws(SettingError) {
    try SettingError.require(side / tiles > 2 * gap, "gap", "less than half of a tile of \(side / tiles) pixels", gap)
  }

  public func changed(_ image: MaskedImage, to level: Int, of shot: Shot, scaling: InputScaling, using random: inout Philox) -> MaskedImage {
    let (height, width) = (image.height / tiles, image.width / tiles)
    let first = Int.random(in: 0..<tiles * tiles, using: &random)
    let second = (first + Int.random(in: 1..<tiles * tiles, using: &random)) % (tiles * tiles)
    var changed = image
    func place(_ tile: Int, _ row: Int, _ column: Int) -> Int { (tile / tiles * height + row) * image.width + tile % tiles * width + column }
    for row in 0..<height {
      for column in 0..<width {
        let (a, b) = (place(first, row, column), place(second, row, column))
        let isShown = image.weight.elements[a] > 0 && image.weight.elements[b] > 0
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
}
