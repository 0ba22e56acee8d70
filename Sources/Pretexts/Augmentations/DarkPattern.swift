import Networks
import Tensors

/// Whether the picture still has a dark pattern on it: one offset for each readout chip, one for each of its columns, and one for each
/// pixel. A corpus keeps no dark pictures, so the pattern is drawn, another one for every example.
///
/// Chips and their columns, which run as the panel lies, are those of the detector where the shot has a panel map, and the equal tiles of a
/// grid and the picture's columns where it has none.
public struct DarkPattern: GradedChange {
  public static let name = "dark-pattern"
  /// Along each axis, where the detector's chips are not known.
  public var tiles = 4
  /// σ of the offsets, in units of the scaled input.
  public var chips = 0.3
  public var columns = 0.15
  public var pixels = 0.15

  public init() {}

  public var changes: Set<Transformation> { [.pedestal, .noise] }
  public static var usesPanels: Bool { true }
  public var levels: [String] { ["subtracted", "not subtracted"] }

  public func validate() throws(SettingError) {
    try SettingError.require((1...64).contains(tiles), "tiles", "1 to 64", tiles)
    for (key, sigma) in [("chips", chips), ("columns", columns), ("pixels", pixels)] {
      try SettingError.require(sigma >= 0 && sigma.isFinite, key, "0 or more", sigma)
    }
  }

  public func validate(side: Int) throws(SettingError) {
    try SettingError.require(tiles <= side, "tiles", "at most \(side), the side of the pictures", tiles)
  }

  public func changed(_ image: MaskedImage, to level: Int, of shot: Shot, scaling: InputScaling, using random: inout Philox) -> MaskedImage {
    let (height, width, unit) = (image.height, image.width, Float(scaling.deviation) * Float(level)), table = NormalTable.standard
    func draw() -> Float { table[UInt16(truncatingIfNeeded: random.next())] }
    guard let map = shot.panels(of: image) else {
      let chip = (0..<tiles * tiles).map { _ in Float(chips) * draw() }
      let column = (0..<tiles * width).map { _ in Float(columns) * draw() }
      return image.changingMeasured { index, value in
        let (i, j) = (index / width, index % width), row = i * tiles / height
        return value + unit * (chip[row * tiles + j * tiles / width] + column[row * width + j] + Float(pixels) * draw())
      }
    }
    let chip = (0..<map.chipCount).map { _ in Float(chips) * draw() }
    let lines = (map.panelColumns + map.columnsAPixel - 1) / map.columnsAPixel
    let column = (0..<map.chipCount * lines).map { _ in Float(columns) * draw() }
    return image.changingMeasured { index, value in
      let own = Int(map.chips.elements[index]), noise = Float(pixels) * draw()
      guard own >= 0 else { return value + unit * noise }
      return value + unit * (chip[own] + column[own * lines + Int(map.columns.elements[index]) / map.columnsAPixel] + noise)
    }
  }
}
