import Foundation
import Frames
import Host
import Tensors

/// Where each pixel of a corpus picture lies on the detector. All arrays are `[H,W]`.
///
/// Positions are those of the geometry's top object, in psana's axes: x runs down the rows of an assembled image, y along its
/// columns; the origin is the beam where the geometry has an interaction point.
public struct DetectorCoordinates: Sendable, Equatable {
  /// The panel under the middle of the pixel, -1 in a gap or margin.
  public var panel: Tensor<Int16>
  /// mm; 0 where `panel` is -1.
  public var x: Tensor<Float>
  /// mm; 0 where `panel` is -1.
  public var y: Tensor<Float>
  /// What each pixel mostly shows; `nil` in a corpus that was built before this was stored.
  public var places: PanelPlaces?

  public init(panel: Tensor<Int16>, x: Tensor<Float>, y: Tensor<Float>, places: PanelPlaces? = nil) {
    precondition(panel.shape == x.shape && panel.shape == y.shape && panel.shape.rank == 2, "coordinates of unequal shapes")
    precondition(places == nil || places?.panel.shape == panel.shape, "places of another shape")
    (self.panel, self.x, self.y, self.places) = (panel, x, y, places)
  }

  /// The mean position of the pixels on panels, mm.
  public var centre: (x: Double, y: Double) {
    var sum = (x: 0.0, y: 0.0), count = 0.0
    for i in panel.elements.indices where panel.elements[i] >= 0 {
      sum.x += Double(x.elements[i])
      sum.y += Double(y.elements[i])
      count += 1
    }
    return count > 0 ? (sum.x / count, sum.y / count) : (0, 0)
  }

  /// Distance from `centre`, mm, `[H,W]`; NaN in gaps.
  public func radius(from centre: (x: Double, y: Double) = (0, 0)) -> Tensor<Float> {
    polar(centre) { dx, dy in Float((dx * dx + dy * dy).squareRoot()) }
  }

  /// atan2(y, x) around `centre`, degrees in -180...180, `[H,W]`; NaN in gaps.
  public func azimuth(around centre: (x: Double, y: Double) = (0, 0)) -> Tensor<Float> {
    polar(centre) { dx, dy in Float(atan2(dy, dx) * 180 / .pi) }
  }

  private func polar(_ centre: (x: Double, y: Double), _ value: (Double, Double) -> Float) -> Tensor<Float> {
    let values = panel.elements.indices.map { i in
      panel.elements[i] < 0 ? Float.nan : value(Double(x.elements[i]) - centre.x, Double(y.elements[i]) - centre.y)
    }
    return Tensor(panel.shape, values)
  }

  /// `geometry/<digest>.h5`: datasets `panel` i16, `x_mm`, `y_mm` f32, and `shown_panel`, `shown_row`, `shown_column` i16 with `panel_shape`.
  func write(to path: String) throws(InputError) {
    let temporary = path + ".partial"
    let file = try HDF5File(creating: temporary)
    try file.write(panel.elements, shape: panel.shape, to: "/panel")
    try file.write(x.elements, shape: x.shape, to: "/x_mm")
    try file.write(y.elements, shape: y.shape, to: "/y_mm")
    if let places {
      try file.write(places.panel.elements, shape: places.panel.shape, to: "/shown_panel")
      try file.write(places.row.elements, shape: places.row.shape, to: "/shown_row")
      try file.write(places.column.elements, shape: places.column.shape, to: "/shown_column")
      try file.write(places.panelShape.extents.map { Int32($0) }, shape: [3], to: "/panel_shape")
    }
    try file.close()
    try AtomicFile.move(temporary, to: path)
  }

  init(reading path: String, height: Int, width: Int) throws(InputError) {
    let file = try HDF5File(opening: path)
    func read<Number: HDF5Number>(_ name: String, as type: Number.Type) throws(InputError) -> Tensor<Number> {
      let dataset = try file.dataset(name)
      guard dataset.shape == [height, width] else {
        throw InputError(path: path, place: name, expected: "[\(height)×\(width)]", found: "\(dataset.shape)")
      }
      return Tensor([height, width], try dataset.values(as: type))
    }
    self.init(
      panel: try read("/panel", as: Int16.self), x: try read("/x_mm", as: Float.self), y: try read("/y_mm", as: Float.self))
    if try file.kind(of: "/panel_shape") != nil {
      let shape = try file.dataset("/panel_shape"), extents = try shape.values(as: Int32.self).map { Int($0) }
      guard extents.count == 3, extents.allSatisfy({ (1...32768).contains($0) }) else {
        throw InputError(path: path, place: "/panel_shape", expected: "panels, rows and columns", found: "\(extents)")
      }
      let (panel, row, column) = (
        try read("/shown_panel", as: Int16.self), try read("/shown_row", as: Int16.self), try read("/shown_column", as: Int16.self))
      for i in panel.elements.indices where panel.elements[i] >= 0 {
        let place = [Int(panel.elements[i]), Int(row.elements[i]), Int(column.elements[i])]
        guard zip(place, extents).allSatisfy({ $0 >= 0 && $0 < $1 }) else {
          throw InputError(path: path, place: "/shown_panel, pixel \(i)", expected: "a place within \(extents)", found: "\(place)")
        }
      }
      places = PanelPlaces(panelShape: Shape(extents), panel: panel, row: row, column: column)
    }
    try file.close()
  }
}
