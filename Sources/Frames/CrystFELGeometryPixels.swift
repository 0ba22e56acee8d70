import Host
import Tensors

extension CrystFELGeometry {
  /// Panels of one sensor in detectors that stack them: rows and columns.
  private static let sensors = [(185, 388), (512, 1024), (352, 384), (704, 768), (512, 512)]

  /// The shape of raw counts that the file's data have: one panel an index of a fixed axis, sensors of a known size stacked
  /// along ss, Cheetah's CSPAD slab of 1480 × 1552 numbers, or one picture.
  public var panelShape: Shape {
    let rows = (panels.map(\.maxSS).max() ?? 0) + 1, columns = (panels.map(\.maxFS).max() ?? 0) + 1
    if let most = panels.compactMap(stackIndex).max() { return [most + 1, rows, columns] }
    if rows == 1480, columns == 1552 { return [32, 185, 388] }
    if let sensor = Self.sensors.first(where: { columns == $0.1 && rows % $0.0 == 0 }) { return [rows / sensor.0, sensor.0, sensor.1] }
    return [1, rows, columns]
  }

  /// The index of the only fixed axis.
  private func stackIndex(_ panel: Panel) -> Int? { panel.fixedAxes.count == 1 ? panel.fixedAxes.first?.value : nil }

  /// Where the pixels are, in psana's axes (x = -x_lab, y = y_lab), micrometres, for raw counts of `panelShape`.
  ///
  /// Left out are pixels without a panel, panels with `no_index`, bad edges and bad regions. Throws where panels overlap or reach
  /// beyond 2^26 pixels.
  public func pixelPositions() throws(InputError) -> PixelPositions {
    let shape = panelShape
    guard let count = shape.checkedCount, count <= 1 << 26 else {
      throw InputError(path: path, place: "panels", expected: "data below \(1 << 26) pixels", found: "\(shape)")
    }
    var x = [Double](repeating: 0, count: count), y = x, z = x, owner = [Int32](repeating: -1, count: count)
    var isLeftOut = [Bool](repeating: true, count: count)
    let isSlab = shape == [32, 185, 388] && panels.contains { $0.maxFS >= 388 }
    for (number, panel) in panels.enumerated() {
      if let stack = stackIndex(panel), !(0..<shape[0]).contains(stack) {
        throw InputError(path: path, place: panel.name, expected: "an index from 0", found: "\(stack)")
      }
      let micrometres = 1e6 / panel.resolution, bad = badRegions.filter { $0.panel == panel.name }, places = badRegions.filter { $0.panel == nil }
      for ss in panel.minSS...panel.maxSS {
        for fs in panel.minFS...panel.maxFS {
          let i: Int
          if let stack = stackIndex(panel) {
            i = (stack * shape[1] + ss) * shape[2] + fs
          } else if isSlab {
            i = ((fs / 388 * 8 + ss / 185) * 185 + ss % 185) * 388 + fs % 388
          } else {
            i = ss * shape[2] + fs
          }
          guard owner[i] < 0 else {
            throw InputError(
              path: path, place: panel.name, expected: "each pixel in one panel",
              found: "fs \(fs), ss \(ss) in \(panels[Int(owner[i])].name), too")
          }
          owner[i] = Int32(number)
          // The middle of the pixel, from the corner of the first.
          let u = Double(fs - panel.minFS) + 0.5, v = Double(ss - panel.minSS) + 0.5
          let labX = panel.cornerX + u * panel.fs.x + v * panel.ss.x, labY = panel.cornerY + u * panel.fs.y + v * panel.ss.y
          x[i] = -labX * micrometres
          y[i] = labY * micrometres
          z[i] = panel.offset * 1e6 + (u * panel.fs.z + v * panel.ss.z) * micrometres
          let edge = min(fs - panel.minFS, panel.maxFS - fs, ss - panel.minSS, panel.maxSS - ss)
          let isBad = bad.contains { $0.fs?.contains(fs) == true && $0.ss?.contains(ss) == true }
          let isAtBadPlace = places.contains { $0.x?.contains(labX) == true && $0.y?.contains(labY) == true }
          isLeftOut[i] = panel.isIgnored || edge < panel.badEdge || isBad || isAtBadPlace
        }
      }
    }
    let pitch = 1e6 / (panels.map(\.resolution).max() ?? 1)
    return PixelPositions(
      x: Tensor(shape, x), y: Tensor(shape, y), z: Tensor(shape, z), pixelSize: pitch, isLeftOut: isLeftOut.contains(true) ? isLeftOut : [])
  }
}
