import Foundation
import Frames
import Host
import Tensors
import TestSupport
import Testing

private let twoPanels = """
  ; two panels of 3 × 4 pixels, side by side with a gap
  res = 10000   ; pixels of 100 um
  clen = /LCLS/detectorPosition
  adu_per_eV = 0.00338
  data = /entry_1/data_1/data
  mask_file = mask.h5
  rigid_group_all = left,right
  dim0 = %
  dim1 = ss
  dim2 = fs
  left/min_fs = 0
  left/max_fs = 3
  left/min_ss = 0
  left/max_ss = 2
  left/fs = +1.0x +0.0y
  left/ss = -0.0x -1.0y
  left/corner_x = -5.0
  left/corner_y = 1.5
  left/coffset = 0.002
  left/max_adu = 7000
  right/min_fs = 0
  right/max_fs = 3
  right/min_ss = 3
  right/max_ss = 5
  right/fs = x
  right/ss = -y
  right/corner_x = 1.0
  right/corner_y = 1.5
  badstripe/min_fs = 1
  badstripe/max_fs = 1
  badstripe/min_ss = 3
  badstripe/max_ss = 5
  badstripe/panel = right
  badcorner/min_x = -5
  badcorner/max_x = -4
  badcorner/min_y = 0.6
  badcorner/max_y = 1.5
  """

@Suite struct CrystFELGeometries {
  @Test func panelsGroupsSettingsAndBadRegionsAreRead() throws {
    let geometry = try CrystFELGeometry(parsing: twoPanels, path: "g")
    #expect(geometry.panels.map(\.name) == ["left", "right"] && geometry.panels.map(\.rows) == [3, 3] && geometry.panels[1].columns == 4)
    #expect(geometry.groups == ["rigid_group_all": ["left", "right"]])
    #expect(geometry.data == "/entry_1/data_1/data" && geometry.maskFile == "mask.h5")
    #expect(geometry.settings["clen"] == "/LCLS/detectorPosition" && geometry.unusedKeys == ["max_adu"])
    #expect(geometry.panelShape == [1, 6, 4])
    let positions = try geometry.pixelPositions()
    // The middle of the first pixel is half a pixel from the corner; psana's x is -x, its y is y.
    #expect(positions.x.elements[0] == 450 && positions.y.elements[0] == 100 && positions.z.elements[0] == 2000)
    #expect(positions.x.elements[3 * 4 + 3] == -450 && positions.y.elements[5 * 4] == -100)
    // One pixel column of the right panel, one pixel of the left.
    #expect(positions.isLeftOut.indices.filter { positions.isLeftOut[$0] } == [0, 13, 17, 21])
    let assembly = try Assembly(positions: positions, panelShape: [1, 6, 4], path: "g")
    #expect(assembly.height == 10 && assembly.width == 3)
    let frame = Frame(signal: Tensor([1, 6, 4], (0..<24).map(Float.init)), mask: Tensor(repeating: 1, [1, 6, 4]), unit: .adu)
    let picture = assembly.assemble(frame)
    // Rows are psana's x, falling with the laboratory's x: the right panel's last column comes first. y grows with columns.
    #expect(picture.pixels.elements.prefix(3) == [23, 19, 15] && picture.weight.elements.reduce(0, +) == 20)
    #expect(assembly.canvasPixel(panel: 0, row: 0, column: 0) == nil)
  }

  @Test(arguments: [
    ("left/max_fs = 3\n", "left/max_fs = x\n", "line 12, max_fs"), ("left/fs = +1.0x +0.0y", "left/fs = 1.0", "line 15, fs"),
    ("res = 10000 ", ";res = 10000 ", "left"), ("left/max_ss = 2\n", "left/max_ss = 3\n", "right"),
    ("badstripe/panel = right", "badstripe/panel = middle", "badstripe"), ("badcorner/max_x = -4", ";", "badcorner"),
    ("clen = /LCLS/detectorPosition", "clen /LCLS", "line 3"),
    ("left/max_fs = 3\n", "/max_fs = 3\n", "line 12"),
  ])
  func faultsNameTheirPlace(_ old: String, _ new: String, _ place: String) throws {
    let error = #expect(throws: InputError.self) {
      try CrystFELGeometry(parsing: twoPanels.replacingOccurrences(of: old, with: new), path: "g").pixelPositions()
    }
    #expect(error?.place == place)
  }

  @Test func stackedSensorsAndFixedAxesGiveTheRawShape() throws {
    func text(_ panels: Int, _ rows: Int, _ columns: Int, fixed: Bool) -> String {
      "res = 10000\n" + (0..<panels).map { p in
        let start = fixed ? 0 : p * rows
        return """
          p\(p)/min_fs = 0
          p\(p)/max_fs = \(columns - 1)
          p\(p)/min_ss = \(start)
          p\(p)/max_ss = \(start + rows - 1)
          p\(p)/corner_x = 0
          p\(p)/corner_y = \(p * rows)
          \(fixed ? "p\(p)/dim1 = \(p)" : "")

          """
      }.joined()
    }
    #expect(try CrystFELGeometry(parsing: text(4, 185, 388, fixed: false), path: "g").panelShape == [4, 185, 388])
    #expect(try CrystFELGeometry(parsing: text(2, 512, 1024, fixed: false), path: "g").panelShape == [2, 512, 1024])
    let fixed = try CrystFELGeometry(parsing: text(3, 20, 30, fixed: true), path: "g")
    #expect(fixed.panelShape == [3, 20, 30])
    let positions = try fixed.pixelPositions()
    #expect(positions.y.elements[2 * 600] == 100 * 40.5 && positions.isLeftOut.isEmpty)
  }

  /// A CrystFEL file in Cheetah's layout, made from psana's positions: each ASIC by its corner pixels.
  @Test(.enabled(if: RealData.isPresent, Comment(rawValue: RealData.absence)), arguments: ["cspad_default.data", "cspad_reference_psana.data"])
  func theSameCSPADInBothFormatsIsAtTheSamePlaces(_ name: String) throws {
    let psana = try DetectorGeometry(readingFrom: RealData.file("geometry/" + name)).pixelPositions(), pitch = 109.92
    var text = "res = \(1e6 / pitch)\n"
    for panel in 0..<32 {
      for half in 0..<2 {
        func at(_ row: Int, _ column: Int) -> (x: Double, y: Double) {
          let i = (panel * 185 + row) * 388 + half * 194 + column
          return (-psana.x.elements[i] / pitch, psana.y.elements[i] / pitch)
        }
        let first = at(0, 0), right = at(0, 193), below = at(184, 0), key = "q\(panel / 8)a\(panel % 8 * 2 + half)"
        let fs = ((right.x - first.x) / 193, (right.y - first.y) / 193), ss = ((below.x - first.x) / 184, (below.y - first.y) / 184)
        text += """
          \(key)/min_fs = \(388 * (panel / 8) + 194 * half)
          \(key)/max_fs = \(388 * (panel / 8) + 194 * half + 193)
          \(key)/min_ss = \(185 * (panel % 8))
          \(key)/max_ss = \(185 * (panel % 8) + 184)
          \(key)/fs = \(fs.0)x \(fs.1 < 0 ? "" : "+")\(fs.1)y
          \(key)/ss = \(ss.0)x \(ss.1 < 0 ? "" : "+")\(ss.1)y
          \(key)/corner_x = \(first.x - (fs.0 + ss.0) / 2)
          \(key)/corner_y = \(first.y - (fs.1 + ss.1) / 2)

          """
      }
    }
    let crystFEL = try CrystFELGeometry(parsing: text, path: "g")
    #expect(crystFEL.panelShape == [32, 185, 388])
    let positions = try crystFEL.pixelPositions()
    let apart = psana.x.elements.indices.map { hypot(positions.x.elements[$0] - psana.x.elements[$0], positions.y.elements[$0] - psana.y.elements[$0]) }
    #expect(try #require(apart.max()) < 0.01 * pitch, "\(apart.max() ?? 0) um")
  }

  @Test(.enabled(if: RealData.isPresent, Comment(rawValue: RealData.absence)))
  func theReferenceFilesDescribeOneCameraWithMovedQuads() throws {
    let psana = try DetectorGeometry(readingFrom: RealData.file("geometry/cspad_reference_psana.data"))
    let crystFEL = try DetectorGeometry(readingFrom: RealData.file("geometry/cspad_reference_crystfel.geom"))
    guard case .crystFEL(let file) = crystFEL, case .psana = psana else {
      Issue.record("kinds \(psana.path), \(crystFEL.path)")
      return
    }
    #expect(file.panels.count == 64 && file.groups.count > 30 && file.data == "/entry_1/data_1/data")
    let a = try psana.pixelPositions(), b = try crystFEL.pixelPositions(), pitch = 109.92, size = 185 * 388
    #expect(b.x.shape == [32, 185, 388] && b.isLeftOut.isEmpty)
    // The files are of different runs, and the CrystFEL one is refined on spots: quads stand up to 23 pixels apart and are turned by
    // up to 0.55 degrees, so sensors far from the axis up to 31. How far each, in pixels along psana's x and y, by the texts alone:
    // CrystFEL's corner + fs·n/2 + ss·m/2, mean of both ASICs, minus psana's centre of the sensor through its quad (numpy).
    let apart: [(Double, Double)] = [
      (-5.64, -10.61), (-5.32, -11.52), (-5.07, -9.79), (-5.71, -9.61), (-5.56, -3.56), (-8.02, -3.43), (-4.04, -10.68), (-4.71, -10.81),
      (6.67, -8.17), (6.00, -8.70), (8.68, -8.47), (8.57, -7.62), (15.59, -11.12), (16.86, -8.10), (14.24, -11.26), (6.03, -9.65),
      (2.81, -19.76), (3.15, -18.52), (3.14, -22.83), (3.94, -22.34), (0.23, -29.03), (5.65, -30.30), (-0.20, -19.28), (0.68, -19.35),
      (-4.78, -16.23), (-3.70, -16.80), (-5.99, -16.21), (-6.09, -16.85), (-5.66, -15.51), (-12.76, -20.42), (-11.88, -17.54), (-4.42, -15.32),
    ]
    for sensor in 0..<32 {
      let range = sensor * size..<(sensor + 1) * size
      let dx = range.map { (b.x.elements[$0] - a.x.elements[$0]) / pitch }, dy = range.map { (b.y.elements[$0] - a.y.elements[$0]) / pitch }
      let meanX = Statistics.mean(dx), meanY = Statistics.mean(dy)
      #expect(hypot(meanX - apart[sensor].0, meanY - apart[sensor].1) < 0.03, "sensor \(sensor): \(meanX), \(meanY) px")
      // Within a sensor only its turn and the refined ASICs are left.
      let turned = zip(dx, dy).map { hypot($0 - meanX, $1 - meanY) }
      #expect(try #require(turned.max()) < 2.6, "sensor \(sensor)")
    }
  }
}
