import Foundation
import Frames
import Host
import Tensors
import TestSupport
import Testing

@Suite struct HDF5LayoutTests {
  private func make(_ scratch: Scratch, _ name: String = "a.h5", _ body: (HDF5File) throws -> Void) throws -> String {
    let path = scratch.file(name), file = try HDF5File(creating: path)
    try body(file)
    try file.close()
    return path
  }

  // MARK: Filters

  @Test(arguments: ["lzf", "bitshuffle", "szip"]) func filtersOfH5pyAreUndone(name: String) throws {
    let scratch = Scratch(), path = try HDF5Files.file(name, in: scratch)
    let found = try events(try HDF5Reader(opening: path))
    #expect(found.count == 6 && found[0].payloads[0].info.shape == [16, 8])
    #expect(found.flatMap { UInt16.array(littleEndian: $0.payloads[0].bytes) } == HDF5Files.packedNumbers)
    // The library reads the same through the registered filters.
    let file = try HDF5File(opening: path)
    #expect(try file.dataset("/d").values(as: UInt16.self) == HDF5Files.packedNumbers)
    try file.close()
    let rows = try HDF5RowReader<UInt16>(opening: path, dataset: "/d")
    #expect((rows.libraryReason == nil) == (name != "szip"))
    #expect(try rows.rows(3..<6) == Array(HDF5Files.packedNumbers[384...]))
  }

  @Test func otherFiltersAreNamed() throws {
    let scratch = Scratch(), path = try HDF5Files.file("zstd", in: scratch)
    let error = #expect(throws: InputError.self) { _ = try events(try HDF5Reader(opening: path)) }
    #expect(error?.found == "filter 32015 (Zstandard)" && error?.place == "/d" && error?.expected.contains("bitshuffle") == true)
  }

  @Test(arguments: ["lzf", "bitshuffle"]) func damagedChunksAreRefused(name: String) throws {
    let scratch = Scratch(), whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: try HDF5Files.file(name, in: scratch))))
    var random = Philox(seed: 3), refusals = 0
    for _ in 0..<400 {
      var mutant = whole
      mutant[Int(random.next() % UInt64(whole.count))] ^= UInt8(truncatingIfNeeded: random.next() | 1)
      let path = try scratch.write(mutant, "mutant.h5")
      do throws(InputError) { _ = try events(try HDF5Reader(opening: path, dataset: "/d")) } catch {
        refusals += 1
        #expect(!error.expected.isEmpty && !error.found.isEmpty)
      }
    }
    #expect(refusals > 20)
  }

  // MARK: Links

  @Test func virtualDatasetsAreFollowed() throws {
    let scratch = Scratch(), reader = try HDF5Reader(opening: try HDF5Files.file("vds", in: scratch))
    #expect(reader.datasetPath == "/entry/data/data" && reader.layout == "NeXus")
    let found = try events(reader)
    let numbers: [[UInt16]] = found.map { UInt16.array(littleEndian: $0.payloads[0].bytes) }
    #expect(numbers[0] == Array(0..<12) && numbers[1] == Array(50..<62))
  }

  // MARK: psana-translate

  @Test func stepsOfATranslatedScanFollowOneAnotherWithTimesNumbersAndCodes() throws {
    let scratch = Scratch(), path = try HDF5Files.file("translate", in: scratch)
    let reader = try HDF5Reader(opening: path)
    #expect(reader.layout == "psana-translate" && reader.datasets.count == 2)
    let found = try events(reader)
    // The last row of the second step only fills a place.
    #expect(found.map(\.index) == [0, 1, 2] && reader.skipped["row without a frame"] == 1)
    #expect(found.map(\.id.seconds) == [1_500_000_000, 1_500_000_001, 1_500_000_010] && found.map(\.id.nanoseconds) == [1, 8, 1])
    #expect(found.map(\.id.fiducial) == [6, 9, 6])
    let firsts: [UInt16] = found.map { UInt16.array(littleEndian: $0.payloads[0].bytes)[0] }
    #expect(firsts == [0, 12, 100])
    // EBeam stands in the other order of time; its second shot of the first step is marked as damaged in bit 1, the energy.
    #expect(found[0].scalars["ebeam.charge_nC"] == 0.25 && found[1].scalars["ebeam.charge_nC"] == 0.5)
    #expect(found[0].scalars["ebeam.L3Energy_MeV"] == 15000.5 && found[1].scalars["ebeam.L3Energy_MeV"] == nil)
    #expect(found.map(\.eventCodes) == [[140, 162], [140], [140, 162]])
    #expect(DetectorCatalog.detector(for: found[0].payloads[0].info)?.name == "timetool")
    let first = try HDF5Reader(opening: path, dataset: "/Configure:0000/Run:0000/CalibCycle:0001/*/*/image")
    #expect(try events(first).count == 1)
  }

  // MARK: Layouts

  static let layouts: [(String, String, [String])] = [
    ("amo86815 ImgMLearn", "/xtcavimg", []), ("Cheetah CXI", "/entry_1/data_1/data", ["/cheetah/event_data/x", "/LCLS/x"]),
    ("psocake CXI", "/entry_1/data_1/data", ["/LCLS/eventNumber"]), ("CXI", "/entry_1/instrument_1/detector_1/data", []),
    ("Cheetah", "/data/rawdata0", ["/processing/x"]), ("lclstreamer", "/data/data", ["/data/timestamp"]), ("OM", "/data/data", ["/data/nframes"]),
    ("NeXus", "/entry/instrument/detector/data", []), ("psmlearn", "/adu", []),
    ("psana-translate", "/Configure:0000/Run:0000/CalibCycle:0000/CsPad::ElementV2/CxiDs1.0:Cspad.0/data", []),
    ("smalldata", "/jungfrau/ROI_0_area", ["/event_time"]),
  ]

  @Test(arguments: layouts.indices) func writersAreToldByTheirPaths(number: Int) throws {
    let (name, image, others) = Self.layouts[number], scratch = Scratch()
    let path = try make(scratch) { file in
      try file.write((0..<24).map { UInt16($0) }, shape: [2, 3, 4], to: image)
      for other in others { try file.write([UInt64(7) << 32, UInt64(8) << 32], shape: [2], to: other) }
      // Larger, but no images of events.
      try file.write([Float](repeating: 0, count: 900), shape: [30, 30], to: "/Sums/mask")
    }
    let reader = try HDF5Reader(opening: path)
    #expect(reader.layout == name && reader.datasetPath == image)
    #expect(try events(reader).map(\.payloads[0].info.shape) == [[3, 4], [3, 4]])
  }

  static let shapes: [(Shape, Int, Shape, String)] = [
    ([3, 20, 30], 3, [20, 30], "picture"), ([20, 30], 1, [20, 30], "picture"), ([2, 32, 185, 388], 2, [32, 185, 388], "cspad"),
    ([32, 185, 388], 1, [32, 185, 388], "cspad"), ([4, 8, 185, 388], 1, [4, 8, 185, 388], "cspad"),
    ([185, 388, 2], 1, [185, 388, 2], "cspad"), ([1480, 1552], 1, [1480, 1552], "cspad"), ([64, 185, 194], 1, [64, 185, 194], "cspad"),
    ([2, 64, 185, 194], 2, [64, 185, 194], "cspad"), ([2, 185, 388, 2], 2, [185, 388, 2], "cspad"),
  ]

  @Test(arguments: shapes.indices) func everyShapeOfLCLSImagesIsKnown(number: Int) throws {
    let (stored, count, shape, detector) = Self.shapes[number], scratch = Scratch()
    let path = try make(scratch) { file in
      var chunk = stored
      chunk.extents[0] = 1
      try file.write([UInt8](repeating: 1, count: stored.count), shape: stored, to: "/data/data", layout: .chunked(chunk))
    }
    let found = try events(try HDF5Reader(opening: path))
    #expect(found.count == count && found[0].payloads[0].info.shape == shape)
    #expect(DetectorCatalog.detector(for: found[0].payloads[0].info)?.name == detector)
  }

  @Test func numbersTextsAndCodesGoWithTheirEvents() throws {
    let scratch = Scratch()
    let path = try make(scratch, "xpptut15_Run0054.h5") { file in
      try file.write((0..<24).map { UInt16($0) }, shape: [2, 3, 4], to: "/data/data")
      try file.write([UInt64(5) << 32 | 6, UInt64(7) << 32 | 8], shape: [2], to: "/data/timestamp")
      try file.write([1.5, 2.5] as [Float], shape: [2], to: "/gas_detector/f_11_ENRC")
      try file.write([9.5, 9.25] as [Double], shape: [2], to: "/data/wavelength")
      try file.setAttribute("units", .string("angstrom"), of: "/data/wavelength")
      try file.write([0, 1] as [UInt8], shape: [2], to: "/evr/code_162")
      try file.write([1, 1] as [UInt8], shape: [2], to: "/evr/code_40")
      try file.write([0.125] as [Double], shape: [1], to: "/distance")
      try file.write(strings: ["hit", "miss"], to: "/kind")
      try file.write(strings: ["lysozyme"], to: "/sample")
      try file.setAttribute("screen", .string("YAG2"), of: "/data/data")
    }
    let found = try events(try HDF5Reader(opening: path))
    #expect(found.map(\.id) == [
      EventID(experiment: "xpptut15", run: 54, seconds: 5, nanoseconds: 6), EventID(experiment: "xpptut15", run: 54, seconds: 7, nanoseconds: 8),
    ])
    #expect(found[1].scalars == ["gas_detector/f_11_ENRC_mJ": 2.5, "data/wavelength_angstrom": 9.25, "distance": 0.125])
    #expect(found.map(\.eventCodes) == [[40], [40, 162]])
    #expect(found.map { $0.texts["kind"] } == ["hit", "miss"])
    #expect(found[0].texts["sample"] == "lysozyme" && found[0].texts["data/data@screen"] == "YAG2")
  }

  @Test func chunksOfSeveralEventsAreReadOnceEach() throws {
    let scratch = Scratch(), values = (0..<7 * 6).map { Int16($0) }
    let path = try make(scratch) { file in
      try file.write(values, shape: [7, 2, 3], to: "/data/data", layout: .chunked([3, 2, 2]))
    }
    #expect(try events(try HDF5Reader(opening: path)).flatMap { Int16.array(littleEndian: $0.payloads[0].bytes) } == values)
  }

  @Test func columnsOfMATLABBecomeRows() throws {
    let scratch = Scratch()
    let path = try make(scratch) { file in
      try file.write([1, 2, 3, 4, 5, 6] as [UInt8], shape: [3, 2], to: "/img")
      try file.setAttribute("MATLAB_class", .string("uint8"), of: "/img")
    }
    let payload = try events(try HDF5Reader(opening: path))[0].payloads[0]
    #expect(payload.info.shape == [2, 3] && payload.bytes == [1, 3, 5, 2, 4, 6])
  }
}
