import Host
import Tensors

/// One record of one source in a datagram, as written. Layouts: lcls-psana/psddldata data/*.ddl.
public struct XTC1Record: Sendable {
  /// Source: level in the top byte.
  public var log: UInt32
  /// Source: detector, its number, device, its number.
  public var phy: UInt32
  /// Type in the low 16 bits, version above.
  public var type: UInt32
  /// A multiple of 4.
  public var bytes: [UInt8]

  /// Pads `bytes` with zeros to a multiple of 4.
  init(log: UInt32, phy: UInt32, type: UInt32, version: UInt32, bytes: [UInt8]) {
    self.log = log
    self.phy = phy
    self.type = version << 16 | type
    self.bytes = bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
  }

  private init(_ source: XTC1Source, _ type: UInt32, _ version: UInt32, _ bytes: [UInt8]) {
    self.init(log: source.log, phy: source.phy, type: type, version: version, bytes: bytes)
  }

  private init(beamline number: UInt32, _ type: UInt32, _ version: UInt32, _ bytes: [UInt8]) {
    self.init(log: 0x0600_0000, phy: number, type: type, version: version, bytes: bytes)
  }

  /// CspadConfig v5 of a camera whose quads store the sections of `roiMask` (8 bits a quad).
  /// `gainMap(quad, row, column)`: one bit an ASIC, 1 = high gain, for row < 185 and column < 194.
  public static func cspadConfiguration(
    _ source: XTC1Source, roiMask: UInt32 = .max, gainMap: (Int, Int, Int) -> UInt16 = { _, _, _ in 0xFFFF }
  ) -> XTC1Record {
    var out = RecordBytes()
    out.bytes.reserveCapacity(287_928)
    out.appendZeros(76)
    out.append(0xFFFF as UInt32)
    out.append(quadMask(roiMask))
    out.append(roiMask)
    for quad in 0..<4 {
      out.appendZeros(71960 - 71780)
      for row in 0..<CSPAD.rows { for column in 0..<194 { out.append(gainMap(quad, row, column)) } }
    }
    return XTC1Record(source, 29, 5, out.bytes)
  }

  /// A quad is read out where it stores any section.
  static func quadMask(_ roiMask: UInt32) -> UInt32 {
    (0..<4).reduce(0) { roiMask >> UInt32(8 * $1) & 0xFF != 0 ? $0 | 1 << UInt32($1) : $0 }
  }

  /// CspadElement v2 of ADU counts `[32,185,388]`; only the sections of `roiMask` are stored.
  public static func cspadElement(_ source: XTC1Source, _ counts: [Int16], roiMask: UInt32 = .max, fiducial: UInt32) -> XTC1Record {
    precondition(counts.count == 32 * CSPAD.pixels, "a CSPAD has \(32 * CSPAD.pixels) pixels, not \(counts.count)")
    var out = RecordBytes()
    out.bytes.reserveCapacity(4 * 36 + 2 * roiMask.nonzeroBitCount * CSPAD.pixels)
    for quad in 0..<4 where roiMask >> UInt32(8 * quad) & 0xFF != 0 {
      out.append(0 as UInt32)
      out.append(UInt32(quad) << 24)
      out.appendZeros(8)
      out.append(fiducial)
      out.appendZeros(12)
      for section in 0..<8 where roiMask >> UInt32(8 * quad + section) & 1 == 1 {
        let start = (8 * quad + section) * CSPAD.pixels
        out.append(counts[start..<start + CSPAD.pixels].lazy.map { UInt16(bitPattern: $0) }, count: CSPAD.pixels)
      }
      out.append(0 as UInt32)
    }
    return XTC1Record(source, 28, 2, out.bytes)
  }

  /// Opal1kConfig v1 of a camera of 12 bits with offset 32.
  public static func opalConfiguration(_ source: XTC1Source) -> XTC1Record {
    var out = RecordBytes()
    out.append(32 | 100 << 16 as UInt32)
    out.append(2 as UInt32)
    out.append(0 as UInt32)
    return XTC1Record(source, 6, 1, out.bytes)
  }

  /// Frame v1: `pixels` row-major, `height` × `width`.
  public static func frame(_ source: XTC1Source, width: Int, height: Int, depth: UInt32, offset: UInt32, _ pixels: [UInt16]) -> XTC1Record {
    precondition(pixels.count == width * height, "\(pixels.count) pixels for \(width) × \(height)")
    precondition((9...16).contains(depth), "frames of 9 to 16 bits are written, not \(depth)")
    var out = RecordBytes()
    out.bytes.reserveCapacity(16 + 2 * pixels.count)
    out.append(UInt32(width))
    out.append(UInt32(height))
    out.append(depth)
    out.append(offset)
    out.append(pixels, count: pixels.count)
    return XTC1Record(source, 2, 1, out.bytes)
  }

  /// EBeam v7: the 20 numbers of the electron beam in the record's order, units in the names of `EBeam`.
  public static func electronBeam(_ beam: EBeam) -> XTC1Record {
    var out = RecordBytes()
    out.append(0 as UInt32)
    for value in beam.values { out.append(value) }
    return XTC1Record(beamline: 0, 15, 7, out.bytes)
  }

  /// FEEGasDetEnergy v1: pulse energies f_11, f_12, f_21, f_22, f_63, f_64 in mJ.
  public static func gasDetector(_ energiesMJ: [Double]) -> XTC1Record {
    precondition(energiesMJ.count == 6, "six pulse energies, not \(energiesMJ.count)")
    var out = RecordBytes()
    for value in energiesMJ { out.append(value) }
    return XTC1Record(beamline: 2, 14, 1, out.bytes)
  }

  /// EvrData v4: event codes, at one time stamp.
  public static func eventCodes(_ codes: [UInt32]) -> XTC1Record {
    var out = RecordBytes()
    out.append(UInt32(codes.count))
    for code in codes {
      out.append(0 as UInt32)
      out.append(0 as UInt32)
      out.append(code)
    }
    return XTC1Record(XTC1Source(level: .source, phy: 0x0000_0100), 19, 4, out.bytes)
  }
}

/// What EBeam v7 records of the electron bunch; the rest of its 20 numbers (positions, angles, gratings) is written as 0.
public struct EBeam: Sendable, Hashable {
  public var charge_nC = 0.0, l3Energy_MeV = 0.0, pkCurrBC2_A = 0.0
  public var xtcavAmpl_MV = 0.0, xtcavPhase_deg = 0.0, dumpCharge_electrons = 0.0, photonEnergy_eV = 0.0

  public init() {}

  var values: [Double] {
    var v = [Double](repeating: 0, count: 20)
    v[0] = charge_nC
    v[1] = l3Energy_MeV
    v[6] = pkCurrBC2_A
    v[14] = xtcavAmpl_MV
    v[15] = xtcavPhase_deg
    v[16] = dumpCharge_electrons
    v[17] = photonEnergy_eV
    return v
  }
}

extension XTC1Source {
  /// CxiDs1.0:Cspad.0
  public static let cspad = XTC1Source(level: .source, phy: 0x2000_0A00)
  /// SxrBeamline.0:Opal1000.0
  public static let timeTool = XTC1Source(level: .source, phy: 0x0B00_0300)
  /// XrayTransportDiagnostic.0:Opal1000.0
  public static let xtcav = XTC1Source(level: .source, phy: 0x2E00_0300)
}
