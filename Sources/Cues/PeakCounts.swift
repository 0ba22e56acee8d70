import Corpora
import Foundation
import Tensors

/// Where the strongest evidence of each frame lies, counted in detector coordinates.
public struct PeakCounts: Codable, Hashable, Sendable {
  public struct Bin: Codable, Hashable, Sendable {
    public var name: String
    public var count: Int
    /// The count that evidence spread evenly over the measured pixels would give.
    public var expected: Double
  }
  /// By panel; empty without a geometry.
  public var panels: [Bin]
  /// By distance from the middle: mm with a geometry, pixels of the picture without.
  public var radius: [Bin]
  /// By angle around the middle, degrees.
  public var azimuth: [Bin]
  /// `mm` or `px`.
  public var radiusUnit: String
  /// Peaks in gaps between panels.
  public var inGaps: Int
  public var total: Int

  init(_ peaks: [(row: Int, column: Int)], side: Int, coordinates: DetectorCoordinates?) {
    let middle = Double(side - 1) / 2
    let pixels = (0..<side * side).map { (row: $0 / side, column: $0 % side) }
    let centre = coordinates?.centre
    /// Panel, radius and azimuth of a pixel; `nil` in a gap.
    func place(_ pixel: (row: Int, column: Int)) -> (panel: Int, radius: Double, azimuth: Double)? {
      let i = pixel.row * side + pixel.column
      if let coordinates, let centre {
        let panel = Int(coordinates.panel.elements[i])
        guard panel >= 0 else { return nil }
        let x = Double(coordinates.x.elements[i]) - centre.x, y = Double(coordinates.y.elements[i]) - centre.y
        return (panel, (x * x + y * y).squareRoot(), PeakCounts.degrees(y, x))
      }
      let x = Double(pixel.column) - middle, y = middle - Double(pixel.row)
      return (-1, (x * x + y * y).squareRoot(), PeakCounts.degrees(y, x))
    }
    let all = pixels.compactMap(place), found = peaks.compactMap(place)
    total = peaks.count
    inGaps = peaks.count - found.count
    radiusUnit = coordinates == nil ? "px" : "mm"
    func bins(_ names: [String], _ bin: ((panel: Int, radius: Double, azimuth: Double)) -> Int) -> [Bin] {
      var counts = [Int](repeating: 0, count: names.count), area = counts
      for place in found { counts[bin(place)] += 1 }
      for place in all { area[bin(place)] += 1 }
      return names.indices.map { Bin(name: names[$0], count: counts[$0], expected: Double(found.count) * Double(area[$0]) / Double(max(1, all.count))) }
    }
    let panelNumbers = Set(all.map(\.panel)).sorted()
    panels = coordinates == nil ? [] : bins(panelNumbers.map(String.init)) { panelNumbers.firstIndex(of: $0.panel)! }
    let largest = (all.map(\.radius).max() ?? 1) * 1.000001, unit = radiusUnit
    radius = bins((0..<8).map { "\(Int(largest * Double($0) / 8))-\(Int(largest * Double($0 + 1) / 8)) \(unit)" }) { Int($0.radius / largest * 8) }
    azimuth = bins((0..<8).map { "\($0 * 45 - 180)" }) { min(7, Int(($0.azimuth + 180) / 45)) }
  }

  private static func degrees(_ y: Double, _ x: Double) -> Double { atan2(y, x) * 180 / .pi }
}
