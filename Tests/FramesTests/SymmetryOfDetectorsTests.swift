import Foundation
import Frames
import Host
import Tensors
import Testing

/// Detectors turned by the symmetries of the square.
struct SymmetryOfDetectorsTests {
  /// Three segments of 2×3 pixels of 1 mm under a parent that is itself moved and turned, off the beam: no symmetry of its own.
  private static let small = """
    TOP:V1 0 MTRX:V2:2:3:1000:1000 0 4000 -2000 0 90 0 0 0 0 0
    TOP:V1 0 MTRX:V2:2:3:1000:1000 1 -1000 5000 0 0 0 0 0 0 0
    TOP:V1 0 MTRX:V2:2:3:1000:1000 2 7000 3000 0 180 0 0 0 0 0
    IP 0 TOP:V1 0 -1500 2500 0 90 0 0 0 0 0
    """

  private static let detectors: [(String, Geometry)] = [
    ("small", try! Geometry(parsing: small, path: "small")),
    ("cspad", Geometry(nodes: Geometry.cspadSensors.enumerated().map { index, sensor in
      Geometry.Node(
        parent: "CSPAD:V2", object: "SENS2X1:V1", index: index, x: 1000 * sensor.x - 87_000, y: 1000 * sensor.y - 93_000, rotationZ: sensor.rotation,
        tiltZ: 0.03 * Double(index % 7 - 3))
    })),
  ]

  /// psana's (x, y) as matrices, by hand: x down the rows, y along the columns.
  private static let matrices: [(Symmetry, @Sendable (Double, Double) -> (Double, Double))] = [
    (.identity, { ($0, $1) }), (.mirror, { ($0, -$1) }), (.upsideDown, { (-$0, $1) }), (.halfTurn, { (-$0, -$1) }),
    (.transposition, { ($1, $0) }), (.quarterTurn, { (-$1, $0) }), (.quarterTurn.inverse, { ($1, -$0) }),
    (.transposition.followed(by: .halfTurn), { (-$1, -$0) }),
  ]

  @Test(arguments: ["small", "cspad"]) func positionsAreTurnedAboutTheBeam(name: String) throws {
    let positions = try Self.detectors.first { $0.0 == name }!.1.pixelPositions()
    for (symmetry, matrix) in Self.matrices {
      let turned = symmetry(positions)
      for i in positions.x.elements.indices {
        let (x, y) = matrix(positions.x.elements[i], positions.y.elements[i])
        guard turned.x.elements[i] == x, turned.y.elements[i] == y else {
          Issue.record("\(symmetry), pixel \(i): \(turned.x.elements[i]), \(turned.y.elements[i]), not \(x), \(y)")
          break
        }
      }
    }
  }

  /// The canvas of the turned detector is the canvas turned, whatever is assembled on it; its pixels lie where the turned ones do.
  @Test(arguments: ["small", "cspad"]) func assemblingOnTheTurnedCanvasTurnsThePicture(name: String) throws {
    let geometry = Self.detectors.first { $0.0 == name }!.1, positions = try geometry.pixelPositions(), shape = positions.x.shape
    let assembly = try Assembly(geometry: geometry, panelShape: shape)
    var random = Philox(seed: 3)
    let frame = Frame(
      signal: Tensor(shape, (0..<shape.count).map { _ in Float(random.uniform()) }),
      mask: Tensor(shape, (0..<shape.count).map { _ in random.uniform() < 0.1 ? 0 : 1 }), unit: .adu)
    let straight = assembly.assemble(frame)
    for (symmetry, matrix) in Self.matrices {
      let turned = symmetry(assembly)
      #expect(turned.assemble(frame) == symmetry(straight), "\(symmetry)")
      #expect(turned.footprint == symmetry(assembly.footprint) && turned.collisions == assembly.collisions)
      let centre = matrix(assembly.centreMM.x, assembly.centreMM.y)
      #expect(abs(turned.centreMM.x - centre.0) < 1e-9 && abs(turned.centreMM.y - centre.1) < 1e-9)
      for panel in 0..<shape[0] {
        for (row, column) in [(0, 0), (shape[1] - 1, shape[2] - 2)] {
          let i = (panel * shape[1] + row) * shape[2] + column, pitch = assembly.pixelSizeMM
          let place = try #require(turned.canvasPixel(panel: panel, row: row, column: column))
          let (x, y) = matrix(positions.x.elements[i] / 1000, positions.y.elements[i] / 1000)
          // Within the pixel: half a pitch of rounding.
          #expect(abs(turned.originMM.x + Double(place.row) * pitch - x) <= pitch / 2 + 1e-9, "\(symmetry)")
          #expect(abs(turned.originMM.y + Double(place.column) * pitch - y) <= pitch / 2 + 1e-9, "\(symmetry)")
        }
      }
    }
  }

  /// The panels of the turned geometry cover what the turned panels cover: the same set of places, panel by panel.
  @Test(arguments: ["small", "cspad"]) func theTurnedGeometryHasItsPanelsWhereTheTurnedOnesAre(name: String) throws {
    let geometry = Self.detectors.first { $0.0 == name }!.1, positions = try geometry.pixelPositions(), size = positions.x[first: 0].shape.count
    // Of a whole CSPAD a reflection, a turn and a transposition, which say all.
    for (symmetry, matrix) in Self.matrices where name == "small" || [.mirror, .quarterTurn, .transposition].contains(symmetry) {
      let built = try symmetry(geometry).pixelPositions()
      for panel in 0..<positions.x.shape[0] {
        func places(_ x: [Double], _ y: [Double]) -> [SIMD2<Double>] {
          zip(x, y).map { SIMD2($0.rounded(), $1.rounded()) }.sorted { ($0.x, $0.y) < ($1.x, $1.y) }
        }
        let pixels = panel * size..<(panel + 1) * size
        let expected = pixels.map { matrix(positions.x.elements[$0], positions.y.elements[$0]) }
        let a = places(pixels.map { built.x.elements[$0] }, pixels.map { built.y.elements[$0] })
        let b = places(expected.map(\.0), expected.map(\.1))
        // Rounded to a micrometre, which may fall on either side: sums of coordinates and corners, instead of place by place.
        #expect(zip(a, b).allSatisfy { abs($0.x - $1.x) <= 1 } , "\(symmetry), panel \(panel)")
        #expect(zip(a.map(\.y).sorted(), b.map(\.y).sorted()).allSatisfy { abs($0 - $1) <= 1 }, "\(symmetry), panel \(panel)")
      }
      // Handedness: a reflected detector keeps its panels' own, so pixel [0,0] of a panel is where a turned one has a corner, not always
      // the same one; turns keep every pixel.
      if symmetry.determinant > 0 {
        let turned = symmetry(positions)
        #expect(zip(built.x.elements, turned.x.elements).allSatisfy { abs($0 - $1) < 1e-6 })
        #expect(zip(built.y.elements, turned.y.elements).allSatisfy { abs($0 - $1) < 1e-6 })
      }
    }
  }

  @Test func whatOneLineCannotHoldIsRefused() throws {
    let tilted = try Geometry(parsing: "TOP:V1 0 MTRX:V2:2:3:1000:1000 0 4000 -2000 0 90 0 0 0 1 2", path: "tilted")
    for symmetry in Symmetry.allCases {
      if symmetry.transposes {
        #expect(throws: InputError.self) { try symmetry(tilted) }
      } else {
        let (built, turned) = (try symmetry(tilted).pixelPositions(), symmetry(try tilted.pixelPositions()))
        // z, too, moves with the panel: the same set of places.
        func places(_ p: PixelPositions) -> [[Double]] {
          p.x.elements.indices.map { [p.x.elements[$0].rounded(), p.y.elements[$0].rounded(), p.z.elements[$0].rounded()] }
            .sorted { $0.lexicographicallyPrecedes($1) }
        }
        #expect(places(built) == places(turned), "\(symmetry)")
      }
    }
  }
}
