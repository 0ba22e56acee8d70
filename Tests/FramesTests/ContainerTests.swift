import Foundation
import Frames
import Host
import Tensors
import TestSupport
import Testing

@Suite struct ContainerTests {
  @Test func xtc1LeavesBecomePayloadsScalarsAndCodes() throws {
    let scratch = Scratch()
    let reader = try RunFile.open(try scratch.write(SampleFiles.xtc1, "xpptut15-r0054-s03-c00.xtc"))
    let found = try events(reader)
    #expect(type(of: reader).container == "xtc1")
    #expect(found.map(\.id) == [
      EventID(experiment: "xpptut15", run: 42, seconds: 1002, nanoseconds: 7014, fiducial: 6),
      EventID(experiment: "xpptut15", run: 42, seconds: 1003, nanoseconds: 7021, fiducial: 9),
    ])
    let first = try #require(found.first)
    #expect(first.payloads.count == 1)
    #expect(first.payloads[0].bytes == SampleFiles.frame(100))
    #expect(first.payloads[0].configuration == .init(typeName: "Opal1kConfig", version: 1, bytes: [1, 2, 3, 4, 5, 6, 7, 8]))
    #expect(first.eventCodes == [140, 162])
    #expect(first.scalars["gasDetector.f_21_ENRC_mJ"] == 3)
    #expect(first.scalars["ebeam.PhotonEnergy_eV"] == 17.25)
    #expect(found[1].payloads.isEmpty)
    #expect(found[1].scalars.count == 19 && found[1].scalars["ebeam.L3Energy_MeV"] == nil)
    #expect(reader.transitions == ["Configure": 1, "BeginRun": 1, "L1Accept": 3, "EndRun": 1])
    #expect(
      reader.skipped == [
        "AcqWaveform v1": 1, "damaged Frame v1": 1, "incomplete container": 1, "ebeam.L3Energy_MeV marked as damaged": 1,
        "L1Accept without a valid fiducial": 1,
      ])
  }

  @Test func compressedLeavesExpandToTheirOriginal() throws {
    let scratch = Scratch()
    let reader = try XTC1Reader(opening: try scratch.write(SampleFiles.xtc1Compressed, "a.xtc"))
    let event = try #require(try reader.next())
    #expect(event.payloads.map(\.bytes) == [[UInt8]](repeating: SampleFiles.compressedFrame, count: 3))
    #expect(event.payloads[0].info.version == 1)
    #expect(reader.skipped == ["compressed AcqWaveform v1": 1])
  }

  @Test func xtc2SegmentsAreStackedAndNumbersNamed() throws {
    let scratch = Scratch()
    let reader = try RunFile.open(try scratch.write(SampleFiles.xtc2, "a.xtc2"))
    let found = try events(reader)
    #expect(type(of: reader).container == "xtc2")
    #expect(found.map(\.id.seconds) == [2002, 2003, 2004])
    #expect(found.allSatisfy { $0.id.experiment == "xpptut1" && $0.id.run == 14 })
    for (number, event) in found.enumerated() {
      #expect(event.payloads.map(\.info) == [
        PayloadInfo(source: "cam/raw/raw", typeName: "epix", version: 0x010203, element: .uint16, shape: [2, 2, 3])
      ])
      let expected = [0, 1].flatMap { segment in (0..<6).map { UInt16(number * 100 + segment * 10 + $0) } }
      #expect(UInt16.array(littleEndian: event.payloads[0].bytes) == expected)
      #expect(event.scalars == ["beam/raw/energy": Double(number) + 0.5, "beam/raw/mode": -2, "beam/raw/pv.x": -7])
    }
    #expect(reader.skipped == ["text beam/raw/note": 3])
  }

  @Test func hdf5RowsBecomeEventsWithIdentityAndScalars() throws {
    let scratch = Scratch()
    let path = try scratch.write(try SampleFiles.hdf5(in: scratch), "amo86815_mlearn-r070-c0001.h5")
    let reader = try RunFile.open(path)
    let found = try events(reader)
    #expect(found.map(\.id) == [
      EventID(experiment: "amo86815", run: 70, seconds: 11, nanoseconds: 1, fiducial: 6),
      EventID(experiment: "amo86815", run: 70, seconds: 12, nanoseconds: 2, fiducial: 9),
      EventID(experiment: "amo86815", run: 71, seconds: 13, nanoseconds: 3, fiducial: 12),
    ])
    #expect(found[2].payloads[0].info == PayloadInfo(source: "/xtcavimg", typeName: "dataset", element: .int16, shape: [4, 5]))
    #expect(Int16.array(littleEndian: found[2].payloads[0].bytes) == (40..<60).map { Int16($0 - 9) })
    #expect(found[2].scalars == ["bld.ebeam.ebeamL3Energy_MeV": 2.5, "acq.peaksLabel": -1])
    let explicit = try HDF5Reader(opening: path, dataset: "/xtcavimg")
    #expect(try events(explicit).count == 3)
    #expect(throws: InputError.self) { try HDF5Reader(opening: path, dataset: "/run") }
    #expect(throws: InputError.self) { try HDF5Reader(opening: path, dataset: "/absent") }
  }

  @Test func hdf5TimestampsAreSplitAndSoftLinksFollowed() throws {
    let scratch = Scratch()
    let path = scratch.file("cxi.h5")
    let file = try HDF5File(creating: path)
    try file.write([Float](repeating: 2, count: 24), shape: [2, 3, 4], to: "/entry_1/instrument_1/detector_1/data")
    try file.makeSoftLink("/entry_1/data_1/data", to: "/entry_1/instrument_1/detector_1/data")
    try file.write([UInt64(5) << 32 | 6, UInt64(7) << 32 | 8], shape: [2], to: "/event_time")
    try file.write([Float](repeating: 0, count: 900), shape: [30, 30], to: "/mask")
    try file.close()
    let reader = try HDF5Reader(opening: path)
    #expect(reader.datasetPath == "/entry_1/data_1/data")
    #expect(try events(reader).map(\.id) == [EventID(run: 0, seconds: 5, nanoseconds: 6), EventID(run: 0, seconds: 7, nanoseconds: 8)])
  }

  @Test func rowsThatWereNeverWrittenAreNoImages() throws {
    let scratch = Scratch()
    let file = try HDF5File(creating: scratch.file("a.h5"))
    let data = try file.makeDataset("/data/data", element: .uint16, shape: [5, 4, 6], layout: .chunked([1, 2, 3]))
    try data.write([UInt16](repeating: 7, count: 24), at: 1)
    try data.write([UInt16](repeating: 8, count: 24), at: 3)
    _ = try file.makeDataset("/empty", element: .uint16, shape: [4, 6])
    try file.close()
    let reader = try HDF5Reader(opening: scratch.file("a.h5"))
    let found = try events(reader)
    #expect(found.map(\.index) == [1, 3])
    #expect(found.allSatisfy { Set(UInt16.array(littleEndian: $0.payloads[0].bytes)) == [UInt16(7 + $0.index / 2)] })
    #expect(reader.skipped["row that was never written"] == 3)
    #expect(try events(HDF5Reader(opening: scratch.file("a.h5"), dataset: "/empty")).isEmpty)
  }

  @Test(arguments: [
    (extents: [32, 185, 388], count: 1), (extents: [4, 8, 185, 388], count: 1), (extents: [185, 388, 2], count: 1),
    (extents: [5, 6], count: 1), (extents: [3, 5, 6], count: 3), (extents: [2, 1, 5, 6], count: 2),
  ])
  func stacksAreToldFromSingleImages(extents: [Int], count: Int) throws {
    let shape = Shape(extents)
    let scratch = Scratch()
    let file = try HDF5File(creating: scratch.file("a.h5"))
    try file.write([Int8](repeating: 1, count: shape.count), shape: shape, to: "/data/data")
    try file.close()
    let found = try events(try HDF5Reader(opening: scratch.file("a.h5")))
    #expect(found.count == count)
    #expect(found.reduce(0) { $0 + $1.payloads[0].bytes.count } == shape.count)
  }

  @Test func numpyArraysComeOutAsTheyWentIn() throws {
    let scratch = Scratch()
    let stack = try events(try RunFile.open(try scratch.write(SampleFiles.npy, "a.npy")))
    #expect(stack.map(\.payloads[0].info.shape) == [[4, 5], [4, 5], [4, 5]])
    #expect(stack.flatMap { Int16.array(littleEndian: $0.payloads[0].bytes) } == (0..<60).map { Int16($0 - 30) })
    let archive = try events(try RunFile.open(try scratch.write(try SampleFiles.npz(in: scratch), "a.npz")))
    #expect(archive.map(\.payloads[0].info.source) == ["image", "mask"])
    #expect(Float.array(littleEndian: archive[0].payloads[0].bytes) == [1, 2, 3, 4, 5, 6.5])
    #expect(archive[1].payloads[0].bytes == [1, 0, 1, 1, 1, 0])
  }

  private func npy(_ header: String, _ data: [UInt8], version: UInt8 = 1) -> [UInt8] {
    let text = Array((header + "\n").utf8)
    let size = version == 1 ? SampleFiles.le(UInt16(text.count)) : SampleFiles.le(UInt32(text.count))
    return NPYArray.magic + [version, 0] + size + text + data
  }

  @Test func numpyOrdersVersionsAndHalvesAreUnderstood() throws {
    let fortran = try NPYArray(
      parsing: npy("{'descr': '<u2', 'fortran_order': True, 'shape': (2, 3), }", [1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 0]), path: "")
    #expect(UInt16.array(littleEndian: fortran.bytes) == [1, 2, 3, 4, 5, 6])
    let big = try NPYArray(
      parsing: npy("{\"descr\": \">i4\", 'fortran_order': False, 'shape': (2,)}", [0, 0, 1, 0, 0xFF, 0xFF, 0xFF, 0xFE], version: 3), path: "")
    #expect(Int32.array(littleEndian: big.bytes) == [256, -2])
    let half = try NPYArray(parsing: npy("{'shape': (), 'fortran_order': False, 'descr': '<f2'}", [0x00, 0xC1], version: 2), path: "")
    #expect(half.shape == [] && Float.array(littleEndian: half.bytes) == [-2.5])
  }

  @Test(arguments: [
    "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "{'descr': '<u2', 'shape': (4,), }",
    "{'descr': [('a', '<u2')], 'fortran_order': False, 'shape': (4,), }", "{'descr': '<u2', 'fortran_order': 0, 'shape': (4,), }",
    "{'descr': '<u2', 'fortran_order': False, 'shape': (-4,), }", "{'descr': '<u2', 'fortran_order': False, 'shape': (5,), }",
    "{'descr': '<u2', 'fortran_order': False, 'shape': (9223372036854775807, 4), }", "", "{", "{'descr': '<u2'",
    "{'descr': '<u2', 'fortran_order': False, 'shape': (4,), } junk",
  ])
  func otherNumpyHeadersAreRefused(header: String) {
    #expect(throws: InputError.self) { try NPYArray(parsing: npy(header, [UInt8](repeating: 0, count: 8)), path: "a.npy") }
  }

  @Test func picturesKeepEveryCount() throws {
    let scratch = Scratch()
    let eight = try scratch.write(PNG.encode(grey: SampleFiles.grey8, rows: 9, columns: 12), "a.png")
    let event = try #require(try RunFile.open(eight).next())
    #expect(event.payloads[0].info == PayloadInfo(source: "", typeName: "png", element: .uint8, shape: [9, 12]))
    #expect(event.payloads[0].bytes == SampleFiles.grey8)
    let sixteen = try PNG.decode(PNG.encode(grey: SampleFiles.grey16, rows: 12, columns: 9), path: "")
    #expect(sixteen.pixels == SampleFiles.grey16 && sixteen.depth == 16 && sixteen.rows == 12)
    let neutral = PNG.encode(rgb: SampleFiles.grey8.flatMap { [$0, $0, $0] }, rows: 9, columns: 12)
    #expect(try PNG.decode(neutral, path: "").bytes == SampleFiles.grey8)
    #expect(throws: InputError.self) { try PNG.decode(PNG.encode(rgb: [1, 2, 3], rows: 1, columns: 1), path: "") }
    #expect(PNG.encode(grey: SampleFiles.grey8, rows: 9, columns: 12) == PNG.encode(grey: SampleFiles.grey8, rows: 9, columns: 12))
  }

  @Test func aFlatJPEGKeepsItsLevel() throws {
    let scratch = Scratch()
    let flat = [UInt8](repeating: 77, count: 20 * 30)
    let event = try #require(
      try RunFile.open(try scratch.write(JPEG.encode(grey: flat, rows: 20, columns: 30), "a.jpg")).next())
    #expect(event.payloads[0].info.typeName == "jpeg" && event.payloads[0].info.shape == [20, 30])
    #expect(event.payloads[0].bytes.allSatisfy { abs(Int($0) - 77) <= 1 })
  }

  @Test func otherFilesAreNamed() throws {
    let scratch = Scratch()
    #expect(throws: InputError.self) { try RunFile.open(try scratch.write([], "empty.xtc")) }
    #expect(throws: InputError.self) { try RunFile.open(try scratch.write(Array("hello, this is no data file".utf8), "a.xtc")) }
    #expect(throws: InputError.self) { try RunFile.open(scratch.path) }
    #expect(throws: InputError.self) { try RunFile.open(scratch.file("absent")) }
  }

  @Test func inspectionTellsWhatTheFileHolds() throws {
    let scratch = Scratch()
    let path = try scratch.write(SampleFiles.xtc1, "xpptut15-r0054-s03-c00.xtc")
    let found = try Inspection(of: path, arrays: true)
    #expect(found.container == "xtc1" && found.events == 2 && found.runs == [42] && found.experiment == "xpptut15")
    #expect(found.sources.map(\.info.source) == ["XppEndstation.0:Opal1000.1"] && found.sources[0].count == 1)
    #expect(found.sources[0].configuration == "Opal1kConfig v1")
    #expect(found.eventCodes == [140: 1, 162: 1] && found.problems.isEmpty)
    #expect(found.firstTime_s == 1002 + 7014e-9)
    #expect(found.arrays?.map(\.sha256) == [Checksum.sha256(SampleFiles.frame(100))])
    #expect(try CanonicalJSON.value(Inspection.self, from: CanonicalJSON.data(found), path: "") == found)
    #expect(found.description.contains("1970-01-01T00:16:42"))
    // LCLS-II counts from 1990-01-01.
    let second = try Inspection(of: scratch.write(SampleFiles.xtc2, "a.xtc2"))
    #expect(second.description.contains("1990-01-01T00:33:22"))
    let cut = try Inspection(of: scratch.write(Array(SampleFiles.xtc1.dropLast(1)), "cut.xtc"))
    #expect(cut.events == 2 && cut.problems.count == 1)
  }

  @Test(.enabled(if: RealData.isPresent, Comment(rawValue: RealData.absence))) func theInjectorCameraStackIsRead() throws {
    let found = try Inspection(of: RealData.file("cameras/injector_camera_stack.h5"))
    #expect(found.container == "hdf5" && found.sources.map(\.info.source) == ["/images"])
    // h5py: shape (1, 700, 700), type <f8.
    #expect(found.events == 1 && found.sources[0].info.shape == [700, 700] && found.sources[0].info.element == .float64)
  }

  @Test(.enabled(if: RealData.isPresent, Comment(rawValue: RealData.absence))) func realPicturesAndArraysAreRead() throws {
    let picture = try Inspection(of: RealData.file("cameras/psbeam/dg3/image_000.png"))
    #expect(picture.sources.count == 1 && picture.sources[0].info.element == .uint8)
    let sensor = try Inspection(of: RealData.file("cspad/cspad2x1_cxitut13_r10_e32_calibrated.npy"))
    #expect(sensor.sources.map(\.info.shape) == [[185, 388]] && sensor.sources[0].info.element == .float32)
    let quad = try Inspection(of: RealData.file("cspad/cspad_quad_silver_behenate_topleft.npz"))
    #expect(quad.sources.map(\.info.source) == ["arr_0"] && quad.sources[0].info.shape == [825, 885])
    let monitor = try Inspection(of: RealData.file("cameras/ProfMon-CAMR_LGUN_210-2019-03-15-151532.mat"))
    #expect(monitor.container == "matlab" && monitor.texts == ["name"] && monitor.problems.isEmpty)
  }
}
