import Frames
import Host
import Tensors
import Testing

private func info(_ element: ElementType, _ extents: [Int], source: String = "/entry/data/data", type: String = "dataset", version: Int = 0) -> PayloadInfo {
  PayloadInfo(source: source, typeName: type, version: version, element: element, shape: Shape(extents))
}

private func little(_ values: [UInt32], bytes: Int) -> [UInt8] {
  values.flatMap { value in (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) } }
}

@Suite struct CountingCameras {
  /// Sizes from the makers' data sheets.
  @Test(arguments: [
    ("eiger", ElementType.uint16, [514, 1030]), ("eiger", .uint32, [1065, 1030]), ("eiger", .uint32, [2167, 2070]),
    ("eiger", .uint16, [3269, 3110]), ("eiger", .uint16, [1, 4371, 4150]), ("eiger", .uint32, [4362, 4148]), ("eiger", .uint16, [1062, 1028]),
    ("pilatus", .int32, [195, 487]), ("pilatus", .int32, [619, 487]), ("pilatus", .int32, [1043, 981]), ("pilatus", .int32, [1679, 1475]),
    ("pilatus", .int32, [2527, 2463]), ("rayonix", .uint16, [3840, 3840]), ("rayonix", .uint16, [1, 1920, 1920]), ("picture", .uint16, [1024, 1024]),
    ("picture", .float32, [1065, 1030]), ("picture", .int32, [514, 487]),
  ])
  func sizesTellTheCamera(_ name: String, _ element: ElementType, _ extents: [Int]) {
    #expect(DetectorCatalog.detector(for: info(element, extents))?.name == name)
  }

  @Test func eigerMasksGapsAndTheLargestNumber() throws {
    // Two modules, one above the other: 1065 × 1030.
    let rows = 1065, columns = 1030
    var counts = [UInt32](repeating: 3, count: rows * columns)
    counts[5] = 65535
    let payload = Payload(info: info(.uint16, [rows, columns]), bytes: little(counts, bytes: 2))
    let frame = try Eiger.calibrate(Eiger.decode(payload, path: "p"), CalibrationConstants(), path: "p")
    #expect(frame.unit == .photons && frame.signal.shape == [1, rows, columns])
    #expect(frame.maskedCount == 37 * columns + 1)
    #expect(frame.mask.elements[5] == 0 && frame.mask.elements[514 * columns] == 0 && frame.mask.elements[513 * columns] == 1)
    #expect(frame.mask.elements[550 * columns] == 0 && frame.mask.elements[551 * columns] == 1 && frame.signal.elements[551 * columns] == 3)
  }

  @Test func pilatusMasksGapsAndNegativeNumbers() throws {
    let rows = 619, columns = 487
    var counts = [UInt32](repeating: 9, count: rows * columns)
    counts[7] = UInt32(bitPattern: -2)
    let payload = Payload(info: info(.int32, [rows, columns]), bytes: little(counts, bytes: 4))
    let frame = try Pilatus.calibrate(Pilatus.decode(payload, path: "p"), CalibrationConstants(), path: "p")
    #expect(frame.maskedCount == 2 * 17 * columns + 1 && frame.unit == .photons && frame.signal.elements[8] == 9)
  }

  @Test func rayonixIsAFrameOfItsOwnSource() throws {
    let head: [UInt32] = [2, 1, 16, 0]
    let record = Payload(
      info: info(.record, [20], source: "XppEndstation.0:Rayonix.0", type: "Frame", version: 1), bytes: little(head, bytes: 4) + [10, 0, 255, 255])
    #expect(DetectorCatalog.detector(for: record.info)?.name == "rayonix")
    let frame = try Rayonix.calibrate(Rayonix.decode(record, path: "p"), CalibrationConstants(), path: "p")
    #expect(frame.signal.elements == [10, 0] && frame.mask.elements == [1, 0])
  }
}

@Suite struct SegmentPixels {
  private func positions(_ segment: String) throws -> PixelPositions {
    try Geometry(parsing: "IP 0 \(segment) 0 0 0 0 0 0 0 0 0 0\n", path: "g").pixelPositions()
  }

  /// First pixel, step along a row across the middle, step down across the middle, as psana 4.3.4 gives them, um.
  @Test(arguments: [
    ("EPIX10KA:V1", [352, 384], (-19275.0, 17675.0), 350.0, -350.0), ("EPIX10KA:V2", [352, 384], (-19275, 17675), 350, -350),
    ("EPIXHR2X2:V1", [288, 384], (-19275, 14475), 350, -350), ("MTRX:V2:512:512:75:75", [512, 512], (-19162.5, 19162.5), 75, -75),
  ])
  func segmentsAreAsPsanaPlacesThem(_ name: String, _ size: [Int], _ first: (Double, Double), _ across: Double, _ down: Double) throws {
    let p = try positions(name), columns = size[1]
    #expect(p.x.shape == [1, size[0], size[1]] && p.x.elements[0] == first.0 && p.y.elements[0] == first.1)
    #expect(p.x.elements[columns / 2] - p.x.elements[columns / 2 - 1] == across)
    #expect(p.y.elements[size[0] / 2 * columns] - p.y.elements[(size[0] / 2 - 1) * columns] == down)
    let pnccd = try positions("PNCCD:V1")
    #expect(pnccd.x.shape == [1, 512, 512] && pnccd.x.elements[512] == 75 && pnccd.y.elements[1] == 75)
  }
}
