import Foundation
import Frames
import Host
import Tensors
import TestSupport
import Testing

@Suite struct PictureFormatTests {
  private func read(_ bytes: [UInt8], _ name: String = "picture") throws -> [Event] {
    let scratch = Scratch()
    return try events(try RunFile.open(try scratch.write(bytes, name)))
  }

  private func refusal(_ bytes: [UInt8]) throws -> InputError? {
    let scratch = Scratch(), path = try scratch.write(bytes, "picture")
    return #expect(throws: InputError.self) { _ = try events(try RunFile.open(path)) }
  }

  private func swapped(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
    stride(from: 0, to: bytes.count, by: size).flatMap { bytes[$0..<$0 + size].reversed() }
  }

  // MARK: TIFF

  /// Element, bits, sample format of TIFF 6.0, little-endian pixels of 2 x 3.
  static let samples: [(ElementType, Int, Int, [UInt8])] = [
    (.uint8, 8, 1, [0, 1, 127, 128, 254, 255]), (.int8, 8, 2, [0, 1, 127, 128, 254, 255]),
    (.uint16, 16, 1, UInt16.bytes(littleEndian: [0, 1, 255, 256, 0x8000, 0xFFFF])),
    (.int16, 16, 2, Int16.bytes(littleEndian: [0, 1, -1, 256, .min, .max])),
    (.uint32, 32, 1, UInt32.bytes(littleEndian: [0, 1, 0x1_0001, 1 << 31, .max, 7])),
    (.int32, 32, 2, Int32.bytes(littleEndian: [0, 1, -70000, .min, .max, 7])),
    (.float32, 32, 3, Float.bytes(littleEndian: [0, -0.0, 1.5, .infinity, .nan, -3e-30])),
    (.float64, 64, 3, Double.bytes(littleEndian: [0, 1e300, -1.5, .infinity, .nan, 3])),
  ]

  @Test(arguments: samples.indices, [false, true]) func everyTypeOfTIFFKeepsItsBits(sample: Int, isBigEndian: Bool) throws {
    let (element, depth, format, pixels) = Self.samples[sample]
    let stored = isBigEndian ? swapped(pixels, depth / 8) : pixels
    let event = try #require(
      try read(PictureFiles.tiff(rows: 2, columns: 3, depth: depth, format: format, stored, isBigEndian: isBigEndian)).first)
    #expect(event.payloads[0].info == PayloadInfo(source: "", typeName: "tiff", element: element, shape: [2, 3]))
    #expect(event.payloads[0].bytes == pixels)
  }

  @Test func pagesTilesPredictorsAndBigTIFFAreReadAsTifffileWroteThem() throws {
    let pages = try read(PictureFiles.lzwPages)
    #expect(pages.map(\.index) == [0, 1] && pages.allSatisfy { $0.payloads[0].info.shape == [5, 7] })
    func modulo(_ n: Int) -> [UInt8] { PictureFiles.ramp.map { UInt8(($0 % n + n) % n) } }
    #expect(pages[0].payloads[0].bytes == modulo(251) && pages[1].payloads[0].bytes == modulo(13))
    #expect(pages[0].scalars["Exposure_time_s"] == 0.5 && pages[0].texts["Detector"] == "TEST" && pages[0].texts["Software"] == "x")
    let tiles = try read(PictureFiles.tiles)[0].payloads[0]
    #expect(tiles.info.element == .int16 && Int16.array(littleEndian: tiles.bytes) == PictureFiles.ramp.map { Int16($0) })
    let reals = try read(PictureFiles.reals)[0].payloads[0]
    #expect(Float.array(littleEndian: reals.bytes) == PictureFiles.ramp.map { Float($0) / 2 })
    let big = try read(PictureFiles.bigTIFF)[0].payloads[0]
    #expect(UInt32.array(littleEndian: big.bytes) == PictureFiles.ramp.map { UInt32($0 + 200) })
  }

  @Test func halvesInTIFFAreWidened() throws {
    let halves: [Float16] = [1, -2.5, 0.5, 65504, .infinity, 0]
    let event = try read(
      PictureFiles.tiff(rows: 2, columns: 3, depth: 16, format: 3, UInt16.bytes(littleEndian: halves.map(\.bitPattern))))[0]
    #expect(event.payloads[0].info.element == .float32)
    #expect(Float.array(littleEndian: event.payloads[0].bytes) == halves.map { Float($0) })
  }

  @Test(arguments: [(12, 1), (8, 6), (24, 1), (64, 6)]) func otherTIFFSamplesAreRefusedByName(depth: Int, format: Int) throws {
    let error = try refusal(PictureFiles.tiff(rows: 2, columns: 2, depth: depth, format: format, [UInt8](repeating: 0, count: 64)))
    #expect(error?.place == "page 0" && error?.found.contains("\(depth) bits") == true)
  }

  @Test func hugeClaimsAreRefusedBeforeAnythingIsAllocated() throws {
    let tiff = try refusal(PictureFiles.tiff(rows: 1_000_000, columns: 1_000_000, depth: 16, format: 1, [1, 2, 3, 4]))
    #expect(tiff?.found.contains("1000000x1000000") == true)
    #expect(try refusal(PictureFiles.tiff(rows: 8000, columns: 8000, depth: 32, format: 1, [1, 2, 3, 4])) != nil)
    let edf = try refusal(PictureFiles.edf("FloatValue", columns: 1_000_000, rows: 1_000_000, [1, 2, 3, 4]))
    #expect(edf?.found == "[1000000×1000000] of float32")
    #expect(try refusal(PictureFiles.edf("FloatValue", columns: .max, rows: .max, [1, 2, 3, 4])) != nil)
    let smv = try refusal(PictureFiles.smv("unsigned_short", columns: 1_000_000, rows: 1_000_000, [1, 2, 3, 4]))
    #expect(smv?.found == "[1000000×1000000] of uint16")
    let cbf = Array("###CBF: VERSION 1.5\n_array_data.data\n".utf8)
      + PictureFiles.cbfSection("signed 32-bit integer", columns: 1_000_000, rows: 1_000_000, [1, 2, 3, 4])
    #expect(try refusal(cbf)?.expected == "differences of 1000000000000 pixels")
    let matlab = PictureFiles.matlabHeader + PictureFiles.matrix(11, [1_000_000, 1_000_000], name: "a", PictureFiles.element(4, [1, 2]))
    #expect(try refusal(matlab)?.expected == "1000000000000 numbers of uint16")
    let structures = PictureFiles.matrix(
      2, [1_000_000, 1_000_000], name: "a", PictureFiles.element(5, SampleFiles.le(8 as Int32)) + PictureFiles.element(1, Array("img\0\0\0\0\0".utf8)))
    #expect(try refusal(PictureFiles.matlabHeader + structures)?.expected == "1000000000000 structures of 1 fields")
  }

  // MARK: EDF and SMV

  static let edfTypes: [(String, ElementType)] = [
    ("UnsignedByte", .uint8), ("SignedByte", .int8), ("UnsignedShort", .uint16), ("SignedShort", .int16), ("UnsignedInteger", .uint32),
    ("SignedLong", .int32), ("Unsigned64", .uint64), ("Signed64", .int64), ("FloatValue", .float32), ("DoubleValue", .float64),
  ]

  @Test(arguments: edfTypes.indices, [false, true]) func everyTypeOfEDFKeepsItsBits(type: Int, isBigEndian: Bool) throws {
    let (name, element) = Self.edfTypes[type], pixels = (0..<6 * element.size).map { UInt8($0 * 5) }
    let stored = isBigEndian ? swapped(pixels, element.size) : pixels
    let found = try read(PictureFiles.edf(name, columns: 3, rows: 2, stored, order: isBigEndian ? "HighByteFirst" : "LowByteFirst"))
    #expect(found.count == 1)
    #expect(found[0].payloads[0].info == PayloadInfo(source: "", typeName: "edf", element: element, shape: [2, 3]))
    #expect(found[0].payloads[0].bytes == pixels)
  }

  @Test func blocksOfAnEDFFileAreEventsWithTheirFields() throws {
    let first = PictureFiles.edf("UnsignedByte", columns: 3, rows: 2, [1, 2, 3, 4, 5, 6], "SampleDistance = 1.5 ;\nTitle = silver; behenate ;\ncount_time = 0.5 s ;\n")
    let second = PictureFiles.edf("UnsignedByte", columns: 2, rows: 1, [7, 8], "EDF_DataBlockID = 1.Image.Error ;\n")
    let found = try read(first + second + first)
    #expect(found.map(\.payloads[0].bytes) == [[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]] && found.map(\.index) == [0, 1])
    #expect(found[1].scalars["SampleDistance_m"] == 1.5 && found[1].scalars["count_time_s"] == 0.5 && found[1].texts["Title"] == "silver")
    #expect(try refusal(first + PictureFiles.edf("FloatValue", columns: 3, rows: 2, [0, 0, 0, 0]))?.place == "block 1, Dim_1")
    #expect(try refusal(PictureFiles.edf("FloatValue", columns: 1, rows: 1, [0, 0, 0, 0], "COMPRESSION = GZip ;\n"))?.found == "GZip")
    #expect(try refusal(PictureFiles.edf("ComplexFloat", columns: 1, rows: 1, [0, 0, 0, 0]))?.found == "ComplexFloat")
  }

  @Test(arguments: [("unsigned_short", ElementType.uint16), ("unsigned_char", .uint8), ("signed_long", .int32), ("float", .float32)])
  func picturesOfSMVKeepTheirBits(name: String, element: ElementType) throws {
    let pixels = (0..<6 * element.size).map { UInt8($0 * 7) }
    for isBigEndian in [false, true] {
      let event = try read(
        PictureFiles.smv(
          name, columns: 3, rows: 2, isBigEndian ? swapped(pixels, element.size) : pixels, order: isBigEndian ? "big_endian" : "little_endian",
          "DISTANCE=150.5;\nWAVELENGTH=0.979;\nBEAMLINE=12-2;\nTIME=0.1;\n"))[0]
      #expect(event.payloads[0].info == PayloadInfo(source: "", typeName: "smv", element: element, shape: [2, 3]))
      #expect(event.payloads[0].bytes == pixels)
      #expect(event.scalars["DISTANCE_mm"] == 150.5 && event.scalars["WAVELENGTH_A"] == 0.979 && event.scalars["TIME_s"] == 0.1)
      #expect(event.texts["BEAMLINE"] == "12-2")
    }
  }

  // MARK: CBF

  @Test func byteOffsetsOfEveryLengthAreUndone() throws {
    let event = try read(PictureFiles.cbf)[0]
    #expect(event.payloads[0].info == PayloadInfo(source: "", typeName: "cbf", element: .int32, shape: [3, 4]))
    #expect(Int32.array(littleEndian: event.payloads[0].bytes) == PictureFiles.cbfPixels)
    #expect(event.scalars["Exposure_time_s"] == 0.25 && event.scalars["Wavelength_A"] == 1.5418 && event.scalars["N_excluded_pixels"] == 3)
    #expect(event.scalars["diffrn_radiation_wavelength.wavelength_A"] == 1.25 && event.texts["Detector"] == "PILATUS 300K, S/N 3-0101")
    #expect(event.texts["date"] == "2013-05-02T17:01:02.123" && event.texts["Pixel_size"] == "172e-6 m x 172e-6 m")
    let fabio = try read(PictureFiles.fabioCBF)[0].payloads[0]
    #expect(Int32.array(littleEndian: fabio.bytes) == PictureFiles.ramp.map { Int32($0 * 100) })
  }

  @Test func aWrongDigestIsDamage() throws {
    var bytes = PictureFiles.fabioCBF
    let start = try #require(bytes.indices.first { bytes[$0...].starts(with: [0x0C, 0x1A, 0x04, 0xD5]) })
    bytes[start + 6] ^= 1
    #expect(try refusal(bytes)?.place.contains("Content-MD5") == true)
  }

  @Test func theASICsOfACSPADBecomeOneCamera() throws {
    // Each ASIC is one number, repeated: its own, then differences of 0.
    var sections: [UInt8] = []
    for asic in 0..<64 {
      let pixels = [UInt8(asic)] + [UInt8](repeating: 0, count: 185 * 194 - 1)
      sections += Array("ARRAY_\(asic) \(asic + 1)\n".utf8)
      sections += PictureFiles.cbfSection("signed 32-bit integer", columns: 194, rows: 185, pixels)
      sections.append(0x0A)
    }
    let head = "###CBF: VERSION 1.5\ndata_shot\nloop_\n_axis.id\n_axis.type\nA rotation\nB translation\nloop_\n_array_data.array_id\n_array_data.binary_id\n_array_data.data\n"
    let scratch = Scratch(), path = try scratch.write(Array(head.utf8) + sections, "shot.cbf")
    let reader = try RunFile.open(path)
    let payload = try #require(try reader.next()).payloads[0]
    #expect(payload.info.shape == [64, 185, 194])
    #expect(reader.skipped["loop of axis"] == 2)
    #expect(DetectorCatalog.detector(for: payload.info)?.name == "cspad")
    let raw = try CSPAD.decode(payload, path: path)
    #expect(raw.shape == [32, 185, 388])
    // Columns 0..<194 of a sensor are its first ASIC, the others its second.
    let firsts = (0..<32).map { raw.elements[$0 * 185 * 388 + 193] }, seconds = (0..<32).map { raw.elements[$0 * 185 * 388 + 194] }
    #expect(firsts == (0..<32).map { Float(2 * $0) } && seconds == (0..<32).map { Float(2 * $0 + 1) })
  }

  @Test(arguments: ["x-CBF_PACKED", "x-CBF_CANONICAL"]) func otherCompressionsOfCBFAreRefusedByName(name: String) throws {
    let bytes = Array("###CBF: VERSION 1.5\n_array_data.data\n".utf8)
      + PictureFiles.cbfSection("signed 32-bit integer", columns: 2, rows: 1, [0, 0], conversion: name)
    #expect(try refusal(bytes)?.found == name)
  }

  // MARK: MATLAB

  @Test func cameraStructuresOfMATLABAreReadByRows() throws {
    let event = try read(PictureFiles.matlab)[0]
    #expect(event.payloads[0].info == PayloadInfo(source: "data/img", typeName: "matlab", element: .uint16, shape: [2, 3]))
    #expect(UInt16.array(littleEndian: event.payloads[0].bytes) == [1, 2, 3, 4, 5, 6])
    #expect(event.scalars == ["pulseId": 123, "res_um": 4.5] && event.texts == ["name": "YAG1"] && event.id.fiducial == 123)
    let scipy = try read(PictureFiles.camera)[0]
    #expect(UInt16.array(littleEndian: scipy.payloads[0].bytes) == PictureFiles.ramp.map { UInt16($0 + 200) })
    #expect(scipy.scalars["ts_days"] == 737499.5 && scipy.id.fiducial == 66868 && scipy.texts["name"] == "CAMR:LGUN:210")
  }

  @Test func filmsOfMATLABAreOneEventAFrame() throws {
    let film = PictureFiles.matrix(9, [2, 2, 2], name: "film", PictureFiles.element(2, [1, 3, 2, 4, 5, 7, 6, 8]))
    let found = try read(PictureFiles.matlabHeader + film)
    #expect(found.map(\.payloads[0].bytes) == [[1, 2, 3, 4], [5, 6, 7, 8]] && found[0].payloads[0].info.source == "film")
    let complex = PictureFiles.matrix(6, [2, 2], name: "z", PictureFiles.element(2, [1, 2, 3, 4]), flags: 0x08)
    #expect(try refusal(PictureFiles.matlabHeader + complex)?.found == "\"z\"")
  }

  @Test(.enabled(if: RealData.isPresent, Comment(rawValue: RealData.absence))) func aRealProfileMonitorIsRead() throws {
    let reader = try RunFile.open(RealData.file("cameras/ProfMon-CAMR_LGUN_210-2019-03-15-151532.mat"))
    let event = try #require(try reader.next())
    #expect(event.payloads[0].info == PayloadInfo(source: "data/img", typeName: "matlab", element: .uint16, shape: [1024, 1392]))
    #expect(event.texts["name"] == "CAMR:LGUN:210" && event.id.fiducial == 66868 && event.scalars["bitdepth_bits"] == 12)
    // As scipy.io.loadmat has it.
    #expect(Checksum.sha256(event.payloads[0].bytes) == "b1b426b9eedd49e2ceba44ae61958d57543d4795eba16ef9fd8f67b0696c7a1e")
  }
}
