import Foundation
import Frames
import Host
import Tensors
import TestSupport

/// What is fuzzed: a reader with small intact files of its format.
enum FuzzTarget: String, CaseIterable, Codable, Sendable {
  case xtc1, xtc1Detectors, xtc1Compressed, xtc1CSPAD, xtc1Streams, xtc2, xtc2Streams, hdf5, png8, png16, jpeg, tiff, tiffPages, bigTIFF, edf, cbf, smv,
    matlab, matlabPacked, npy, npz, geometry, crystFEL, pedestals

  /// Whether a C library of another party parses the bytes and is known to be unsafe on damaged ones; see Docs/Decisions/013.
  var isUnsafe: Bool { self == .hdf5 }

  /// Intact files; the mutants are of the first, pieces of the others are spliced in.
  func samples(in scratch: Scratch) throws -> [[UInt8]] {
    switch self {
    case .xtc1: [SampleFiles.xtc1, FuzzSamples.detectors, SampleFiles.xtc2]
    case .xtc1Detectors: [FuzzSamples.detectors, SampleFiles.xtc1]
    case .xtc1Compressed: [SampleFiles.xtc1Compressed, SampleFiles.xtc1]
    case .xtc1CSPAD: [FuzzSamples.cspad, SampleFiles.xtc1]
    case .xtc1Streams: [SampleFiles.xtc1, FuzzSamples.detectors]
    case .xtc2, .xtc2Streams: [SampleFiles.xtc2, SampleFiles.xtc1]
    case .hdf5: [try SampleFiles.hdf5(in: scratch)]
    case .png8: [PNG.encode(grey: SampleFiles.grey8, rows: 9, columns: 12)]
    case .png16: [PNG.encode(grey: SampleFiles.grey16, rows: 9, columns: 12), PNG.encode(grey: SampleFiles.grey8, rows: 9, columns: 12)]
    case .jpeg: [JPEG.encode(grey: SampleFiles.grey8, rows: 9, columns: 12)]
    case .tiff: [PictureFiles.tiff(rows: 5, columns: 6, depth: 16, format: 2, (0..<60).map { UInt8($0) }), PictureFiles.tiles]
    case .tiffPages: [PictureFiles.lzwPages, PictureFiles.reals]
    case .bigTIFF: [PictureFiles.bigTIFF, PictureFiles.tiles]
    case .edf: [PictureFiles.edf("SignedShort", columns: 6, rows: 5, (0..<60).map { UInt8($0) })]
    case .cbf: [PictureFiles.cbf, PictureFiles.fabioCBF]
    case .smv: [PictureFiles.smv("unsigned_short", columns: 6, rows: 5, (0..<60).map { UInt8($0) })]
    case .matlab: [PictureFiles.matlab, PictureFiles.camera]
    case .matlabPacked: [PictureFiles.camera, PictureFiles.matlab]
    case .npy: [SampleFiles.npy]
    case .npz: [try SampleFiles.npz(in: scratch), SampleFiles.npy]
    case .geometry: [Array(FuzzSamples.geometry.utf8)]
    case .crystFEL: [Array(FuzzSamples.crystFEL.utf8), Array(FuzzSamples.slab.utf8)]
    case .pedestals: [Array("# TITLE x\n# DIM:1 2\n# DIM:2 3\n  1.5 2 -3e2\n 4 5.25 6\n".utf8), SampleFiles.npy]
    }
  }

  /// Reads a damaged file to its end, as the rest of the program would, and decodes what a detector recognises.
  /// Returns how many events came out; throws what refused the file. `complain` gets what must never happen.
  func read(_ path: String, beside intact: String, complain: (String) -> Void) throws(InputError) -> Int {
    switch self {
    case .geometry:
      let geometry = try Geometry(readingFrom: path)
      return geometry.nodes.count
    case .crystFEL:
      let geometry = try CrystFELGeometry(readingFrom: path), positions = try geometry.pixelPositions()
      if positions.x.shape != geometry.panelShape { complain("positions \(positions.x.shape)") }
      return geometry.panels.count
    case .pedestals:
      let folder = CalibrationFolder(String(path.dropLast(fileName.utf8.count)))
      let constants = try folder.constants(for: "Cam.0:Opal1000.0", run: 3, shape: [1, 2, 3])
      if constants.pedestal?.elements.count != 6 { complain("pedestals \(String(describing: constants.pedestal?.shape))") }
      return 1
    case .xtc1Streams: return try Self.drain(try XTC1Reader(merging: [path, intact]), path, complain)
    case .xtc2Streams: return try Self.drain(try XTC2Reader(merging: [path, intact]), path, complain)
    case .xtc1, .xtc1Detectors, .xtc1Compressed, .xtc1CSPAD: return try Self.drain(try XTC1Reader(opening: path), path, complain)
    case .xtc2: return try Self.drain(try XTC2Reader(opening: path), path, complain)
    case .hdf5: return try Self.drain(try HDF5Reader(opening: path), path, complain)
    case .png8, .png16: return try Self.drain(try PNGReader(opening: path), path, complain)
    case .jpeg: return try Self.drain(try JPEGReader(opening: path), path, complain)
    case .tiff, .tiffPages, .bigTIFF: return try Self.drain(try TIFFReader(opening: path), path, complain)
    case .edf: return try Self.drain(try EDFReader(opening: path), path, complain)
    case .cbf: return try Self.drain(try CBFReader(opening: path), path, complain)
    case .smv: return try Self.drain(try SMVReader(opening: path), path, complain)
    case .matlab, .matlabPacked: return try Self.drain(try MATLABReader(opening: path), path, complain)
    case .npy: return try Self.drain(try NPYReader(opening: path), path, complain)
    case .npz: return try Self.drain(try NPZReader(opening: path), path, complain)
    }
  }

  /// Stream files have a name; the mutant is stream 0.
  var fileName: String {
    switch self {
    case .xtc1Streams: "exp-r0001-s00-c00.xtc"
    case .xtc2Streams: "exp-r0001-s000-c000.xtc2"
    case .pedestals: "Camera::CalibV1/Cam.0:Opal1000.0/pedestals/1-end.data"
    default: "mutant"
    }
  }

  private static func drain(_ reader: any EventReader, _ path: String, _ complain: (String) -> Void) throws(InputError) -> Int {
    var count = 0
    while let event = try reader.next() {
      count += 1
      guard count < 100_000 else {
        complain("no end of events")
        break
      }
      for damage in event.damage where damage.reason.isEmpty || damage.path.isEmpty { complain("damage without a reason: \(damage)") }
      for payload in event.payloads {
        let size = payload.info.shape.checkedCount.map { $0.multipliedReportingOverflow(by: payload.info.element.size).partialValue }
        if size != payload.bytes.count { complain("\(payload.info) with \(payload.bytes.count) bytes") }
        decode(payload, path, complain)
      }
    }
    return count
  }

  private static func decode(_ payload: Payload, _ path: String, _ complain: (String) -> Void) {
    guard payload.bytes.count < 1 << 22, let detector = DetectorCatalog.detector(for: payload.info) else { return }
    do throws(InputError) {
      let raw = try detector.decode(payload, path: path)
      if raw.shape.rank != 3 || raw.shape.count != raw.elements.count { complain("raw counts \(raw.shape)") }
    } catch {
      if let lack = lack(error, path) { complain(lack) }
    }
  }

  /// What a refusal should say and does not.
  static func lack(_ error: InputError, _ path: String) -> String? {
    if error.path.isEmpty { return "refusal without a path: \(error)" }
    if error.place.isEmpty { return "refusal without a place: \(error)" }
    if error.expected.isEmpty || error.found.isEmpty { return "refusal without expected or found: \(error)" }
    return nil
  }
}

/// Small files that touch as much as possible.
enum FuzzSamples {
  private static func leaf(_ name: String, _ version: UInt16, phy: UInt32, _ bytes: [UInt8]) -> [UInt8] {
    SampleFiles.xtc1(type: XTC1Format.TypeID(name, version: version).word, phy: phy, bytes)
  }

  /// Tiny ePix, time tool, EPICS, aliases, damage.
  static let detectors: [UInt8] = {
    let opal: UInt32 = 0x1600_0302, epix: UInt32 = 0x1900_2D00, epics: UInt32 = 0x0900_0000
    let tool = DAQRecords.TimeTool(version: 3, full: true)
    let arrays = [15, 8, 18].map { [Int32](repeating: 5, count: $0) }
    let configure = [
      leaf("AliasConfig", 1, phy: 0, DAQRecords.aliases([(opal, "TSS_OPAL"), (epix, "epix")])),
      leaf("TimeToolConfig", 3, phy: opal, tool.config),
      leaf("Epix10kaConfig", 2, phy: epix, DAQRecords.epixConfig(before: 32, sizes: [2, 2, 3, 2, 4, 2, 1])),
      leaf("Epics", 1, phy: epics, DAQRecords.epicsControl(0, "P", .double(1), unit: "Torr")),
      leaf("Epics", 1, phy: epics, DAQRecords.epicsControl(1, "S", .enumeration(1))),
    ]
    let event = [
      leaf("TimeToolData", 3, phy: opal, tool.data(arrays)), leaf("Frame", 1, phy: opal, SampleFiles.frame(7)),
      leaf("EpixElement", 3, phy: epix, DAQRecords.epixElement(pixels: [UInt16](repeating: 9, count: 32), columns: 8)),
      leaf("Epics", 1, phy: epics, DAQRecords.epicsTime(0, .double(2))), leaf("Epics", 1, phy: epics, DAQRecords.epicsTime(1, .enumeration(0))),
      SampleFiles.xtc1(type: 0, phy: epix, damage: 2, []),
    ]
    var bytes = SampleFiles.datagram1(4, seconds: 1, configure) + SampleFiles.datagram1(6, seconds: 2, env: 7, [])
    for shot in 0..<3 as Range<UInt32> { bytes += SampleFiles.datagram1(12, seconds: 3 + shot, fiducial: 3 * shot, event) }
    return bytes
  }()

  /// One quad of one section.
  static let cspad: [UInt8] = {
    let config = DAQRecords.cspadConfig(version: 5, asicMask: 0xFFFF, quadMask: 1, roiMask: 1)
    let pixels = DAQRecords.halves([UInt16](repeating: 1000, count: 185 * 388))
    let record = DAQRecords.cspadQuadHeader(0) + pixels + [0, 0, 0, 0]
    return SampleFiles.datagram1(4, seconds: 1, [leaf("CspadConfig", 5, phy: 0x2000_0A00, config)])
      + SampleFiles.datagram1(12, seconds: 2, fiducial: 3, [leaf("CspadElement", 2, phy: 0x2000_0A00, record)])
  }()

  /// Two panels, groups, bad regions by number and by place.
  static let crystFEL = """
    ; two panels of 3 × 4 pixels
    res = 10000   ; pixels of 100 um
    clen = /LCLS/detectorPosition
    adu_per_eV = 0.00338
    data = /entry_1/data_1/data
    dim0 = %
    dim1 = ss
    dim2 = fs
    rigid_group_all = left,right
    left/min_fs = 0
    left/max_fs = 3
    left/min_ss = 0
    left/max_ss = 2
    left/fs = +1.0x +0.0y
    left/ss = -0.0x -1.0y
    left/corner_x = -5.0
    left/corner_y = 1.5
    left/coffset = 0.002
    left/mask_edge_pixels = 1
    right/min_fs = 0
    right/max_fs = 3
    right/min_ss = 3
    right/max_ss = 5
    right/fs = x
    right/ss = -y
    right/corner_x = 1.0
    right/corner_y = 1.5
    right/no_index = 0
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

  /// Panels by the index of a fixed axis.
  static let slab = (0..<2).map { panel in
    """
    p\(panel)/dim0 = \(panel)
    p\(panel)/min_fs = 0
    p\(panel)/max_fs = 5
    p\(panel)/min_ss = 0
    p\(panel)/max_ss = 4
    p\(panel)/res = 9090.9
    p\(panel)/corner_x = \(7 * panel)
    p\(panel)/corner_y = 0

    """
  }.joined()

  static let geometry = """
    # TITLE: two panels
    # HDR PARENT IND OBJECT IND X0[um] Y0[um] Z0[um] ROT-Z ROT-Y ROT-X TILT-Z TILT-Y TILT-X
    IP 0 CSPAD:V1 0 0 0 0 0 0 0 0 0 0
    CSPAD:V1 0 SENS2X1:V1 0 51600 112700 0 90 0 0 0.1 0 0
    CSPAD:V1 0 SENS2X1:V1 1 74200 112900 0 90 0 0 0.1 0 0

    """
}
