import Host
import Tensors

/// Which pixels a calibration masks, beside those that are no numbers: what psana chooses by `mbits`.
public struct PixelMask: Hashable, Sendable {
  /// The bits of `pixel_status` that make a pixel bad; 0: status is not looked at.
  public var statusBits: UInt32 = .max
  /// Pixels that the `pixel_mask` of the calibration folder, made by hand, excludes.
  public var usesPixelMask = true
  /// The outermost rows and columns of every panel.
  public var edges = 0
  /// The two wide columns in the middle of a CSPAD 2×1.
  public var central = false
  /// The non-bonded pixels of a CSPAD, which see no photons; with how many of their neighbours: 0, 4 or 8.
  public var nonBondedNeighbours: Neighbours = .none

  public enum Neighbours: Int, Sendable { case none = 0, four = 4, eight = 8 }

  public init() {}

  /// psana's names, each adding to the mask: `status`, `pixelMask`, `edges`, `central`, `nonBonded4`, `nonBonded8`.
  public static let names = ["status", "pixelMask", "edges", "central", "nonBonded4", "nonBonded8"]

  /// Only what is named is masked. Throws for a name that is not known.
  public init(_ chosen: [String]) throws(InputError) {
    if let unknown = chosen.first(where: { !Self.names.contains($0) }) {
      throw InputError(path: "", place: "mask", expected: Self.names.joined(separator: ", "), found: "\"\(unknown)\"")
    }
    if !chosen.contains("status") { statusBits = 0 }
    usesPixelMask = chosen.contains("pixelMask")
    if chosen.contains("edges") { edges = 1 }
    central = chosen.contains("central")
    if chosen.contains("nonBonded4") { nonBondedNeighbours = .four }
    if chosen.contains("nonBonded8") { nonBondedNeighbours = .eight }
  }

  /// Bad pixels of one panel `[rows, columns]`, row-major; empty where none is by its place.
  func badByPlace(rows: Int, columns: Int, isCSPAD: Bool) -> [Bool] {
    guard edges > 0 || isCSPAD && (central || nonBondedNeighbours != .none) else { return [] }
    var bad = [Bool](repeating: false, count: rows * columns)
    for row in 0..<rows {
      for column in 0..<columns where min(row, column, rows - 1 - row, columns - 1 - column) < edges { bad[row * columns + column] = true }
    }
    guard isCSPAD else { return bad }
    if central { for row in 0..<rows { for column in [193, 194] { bad[row * columns + column] = true } } }
    guard nonBondedNeighbours != .none else { return bad }
    for pixel in CSPAD.nonBondedPixels {
      let row = pixel / columns, column = pixel % columns
      for r in max(0, row - 1)...min(rows - 1, row + 1) {
        for c in max(0, column - 1)...min(columns - 1, column + 1)
        where nonBondedNeighbours == .eight || r == row || c == column {
          bad[r * columns + c] = true
        }
      }
    }
    return bad
  }
}
