/// The constants of the XTC1 (LCLS-I) file format, for reading and writing alike: header sizes, codes and their names.
///
/// Source: pdsdata `xtc/TypeId.cc`, `TransitionId.hh`, `DetInfo.cc`, `BldInfo.cc`, `Level.hh`, `Damage.hh`. All integers are little-endian.
public enum XTC1Format {
  /// Bytes of a datagram up to its top Xtc: nanoseconds, seconds, ticks and control, fiducial, env; u32 each.
  public static let datagramHeaderSize = 20
  /// Bytes of an Xtc header: damage, source log, source phy, type id, extent; u32 each. The extent includes them.
  public static let xtcHeaderSize = 20
  /// Fiducials count 0..<131040 at 360 Hz; anything above marks an event without one.
  public static let fiducialLimit: UInt32 = 0x1FFE0
  /// Set in a type id when the payload is compressed.
  public static let compressedBit: UInt32 = 0x8000_0000
  /// Bytes of the header of one CSPAD quad.
  public static let cspadQuadHeaderSize = 32
  /// Bytes after the pixels of one CSPAD quad.
  public static let cspadQuadTrailerSize = 4
  /// Bytes of one stored CSPAD section: 185 rows of 388 pixels of two bytes.
  public static let cspadSectionSize = 185 * 388 * 2
  /// Bytes of a Frame before its pixels: width, height, depth, offset; u32 each.
  public static let frameHeaderSize = 16

  /// What a datagram says happened.
  public enum Transition: UInt32, Sendable, CaseIterable {
    case unknown, reset, map, unmap, configure, unconfigure, beginRun, endRun, beginCalibCycle, endCalibCycle, enable,
      disable, l1Accept

    /// As the data acquisition spells it: `L1Accept`, `BeginRun`.
    public var name: String {
      let text = "\(self)"
      return text.prefix(1).uppercased() + text.dropFirst()
    }
  }

  /// The level of the source of an Xtc, bits 24-31 of `log`.
  public enum Level: UInt32, Sendable {
    case control, source, segment, event, recorder, observer, reporter
  }

  /// Bits of a damage word.
  public enum Damage {
    public static let droppedContribution: UInt32 = 1 << 1
    public static let userDefined: UInt32 = 1 << 14
    public static let incompleteContribution: UInt32 = 1 << 15
    public static let names: [Int: String] = [
      1: "DroppedContribution", 11: "Uninitialized", 12: "OutOfOrder", 13: "OutOfSynch", 14: "UserDefined",
      15: "IncompleteContribution", 16: "ContainsIncomplete",
    ]
    /// Bits 24-31: what a user-defined damage means.
    public static let userByte: UInt32 = 0xFF00_0000
  }

  /// A type id without its compression bit: kind and schema version.
  public struct TypeID: Hashable, Sendable, CustomStringConvertible {
    public var code: UInt16
    public var version: UInt16

    public init(code: UInt16, version: UInt16) {
      self.code = code
      self.version = version & 0x7FFF
    }

    /// A type by its name, such as `CspadElement`; traps for a name that is not in the table.
    public init(_ name: String, version: UInt16) {
      guard let code = XTC1Format.typeCodes[name] else { preconditionFailure("no XTC1 type \(name)") }
      self.init(code: code, version: version)
    }

    public init(word: UInt32) { self.init(code: UInt16(truncatingIfNeeded: word), version: UInt16(word >> 16 & 0x7FFF)) }

    public var word: UInt32 { UInt32(version) << 16 | UInt32(code) }
    /// `CspadElement`, or `Type 99` for a code that is not in the table.
    public var name: String { XTC1Format.typeNames[code] ?? "Type \(code)" }
    public var description: String { "\(name) v\(version)" }
    /// Whether it tells how a device was set up. `pnCCDconfig` is spelled like no other.
    var isConfiguration: Bool { name.hasSuffix("Config") || name == "pnCCDconfig" }
  }

  /// In the order of their codes, from 0.
  public static let typeNames: [UInt16: String] = numbered([
    "Any", "Xtc", "Frame", "AcqWaveform", "AcqConfig", "TwoDGaussian", "Opal1kConfig", "FrameFexConfig", "EvrConfig",
    "TM6740Config", "ControlConfig", "pnCCDframe", "pnCCDconfig", "Epics", "FEEGasDetEnergy", "EBeam", "PhaseCavity",
    "PrincetonFrame", "PrincetonConfig", "EvrData", "FrameFccdConfig", "FccdConfig", "IpimbData", "IpimbConfig", "EncoderData",
    "EncoderConfig", "EvrIOConfig", "PrincetonInfo", "CspadElement", "CspadConfig", "IpmFexConfig", "IpmFex", "DiodeFexConfig",
    "DiodeFex", "PimImageConfig", "SharedIpimb", "AcqTDCConfig", "AcqTDCData", "Index", "XampsConfig", "XampsElement",
    "Cspad2x2Element", "SharedPim", "Cspad2x2Config", "FexampConfig", "FexampElement", "Gsc16aiConfig", "Gsc16aiData",
    "PhasicsConfig", "TimepixConfig", "TimepixData", "CspadCompressedElement", "OceanOpticsConfig", "OceanOpticsData",
    "EpicsConfig", "FliConfig", "FliFrame", "QuartzConfig", "Reserved1", "Reserved2", "AndorConfig", "AndorFrame", "UsdUsbData",
    "UsdUsbConfig", "GMD", "SharedAcqADC", "OrcaConfig", "ImpData", "ImpConfig", "AliasConfig", "L3TConfig", "L3TData",
    "Spectrometer", "RayonixConfig", "EpixConfig", "EpixElement", "EpixSamplerConfig", "EpixSamplerElement", "EvsConfig",
    "PartitionConfig", "PimaxConfig", "PimaxFrame", "Arraychar", "Epix10kConfig", "Epix100aConfig", "GenericPgpConfig",
    "TimeToolConfig", "TimeToolData", "EpixSConfig", "SmlDataConfig", "SmlDataOrigDgramOffset", "SmlDataProxy", "ArrayUInt16",
    "GotthardConfig", "AnalogInput", "SmlData", "Andor3dConfig", "Andor3dFrame", "BeamMonitorBldData", "Generic1DConfig",
    "Generic1DData", "UsdUsbFexConfig", "UsdUsbFexData", "EOrbits", "SharedUsdUsb", "ControlsCameraConfig", "ArchonConfig",
    "JungfrauConfig", "JungfrauElement", "QuadAdcConfig", "ZylaConfig", "ZylaFrame", "Epix10kaConfig", "PixisConfig",
    "PixisFrame", "UxiConfig", "UxiFrame", "Epix10ka2MConfig", "Epix10kaArray", "StreakConfig", "Epix10kaQuadConfig",
    "iStarConfig", "AlviumConfig", "VimbaFrame",
  ])
  public static let typeCodes = reversed(typeNames)

  /// Detector codes of `phy`, bits 24-31: where a device stands.
  public static let detectorNames: [UInt8: String] = numbered([
    "NoDetector", "AmoIMS", "AmoGD", "AmoETOF", "AmoITOF", "AmoMBES", "AmoVMI", "AmoBPS", "Camp", "EpicsArch", "BldEb",
    "SxrBeamline", "SxrEndstation", "XppSb1Ipm", "XppSb1Pim", "XppMonPim", "XppSb2Ipm", "XppSb3Ipm", "XppSb3Pim", "XppSb4Pim",
    "XppGon", "XppLas", "XppEndstation", "AmoEndstation", "CxiEndstation", "XcsEndstation", "MecEndstation", "CxiDg1", "CxiDg2",
    "CxiDg3", "CxiDg4", "CxiKb1", "CxiDs1", "CxiDs2", "CxiDsu", "CxiSc1", "CxiDsd", "XcsBeamline", "CxiSc2",
    "MecXuvSpectrometer", "MecXrtsForw", "MecXrtsBack", "MecFdi", "MecTimeTool", "MecTargetChamber", "FeeHxSpectrometer",
    "XrayTransportDiagnostic", "Lamp", "MfxEndstation", "MfxDg1", "MfxDg2", "XrtDiag", "DetLab",
  ])
  public static let detectorCodes = reversed(detectorNames)

  /// Device codes of `phy`, bits 8-15: what a device is.
  public static let deviceNames: [UInt8: String] = numbered([
    "NoDevice", "Evr", "Acqiris", "Opal1000", "Tm6740", "pnCCD", "Princeton", "Fccd", "Ipimb", "Encoder", "Cspad", "AcqTDC",
    "Xamps", "Cspad2x2", "Fexamp", "Gsc16ai", "Phasics", "Timepix", "Opal2000", "Opal4000", "OceanOptics", "Opal1600",
    "Opal8000", "Fli", "Quartz4A150", "Andor", "USDUSB", "OrcaFl40", "Imp", "Epix", "Rayonix", "EpixSampler", "Pimax",
    "Fccd960", "Epix10k", "Epix100a", "EpixS", "Gotthard", "DualAndor", "Wave8", "LeCroy", "ControlsCamera", "Archon",
    "Jungfrau", "Zyla", "Epix10ka", "Pixis", "Uxi", "Epix10ka2M", "StreakC7700", "Epix10kaQuad", "JungfrauSegment",
    "JungfrauSegmentM2", "JungfrauSegmentM3", "JungfrauSegmentM4", "iStar", "QuadAdc", "Alvium",
  ])
  public static let deviceCodes = reversed(deviceNames)

  /// Beam-line data of level Reporter: `phy` is the code.
  public static let beamLineDataNames: [UInt32: String] = [
    0: "EBeam", 1: "PhaseCavity", 2: "FEEGasDetEnergy", 26: "GMD", 63: "EOrbits",
  ]
  public static let beamLineDataCodes = reversed(beamLineDataNames)

  private static func numbered<Code: FixedWidthInteger>(_ names: [String]) -> [Code: String] {
    Dictionary(uniqueKeysWithValues: names.enumerated().map { (Code($0.offset), $0.element) })
  }

  private static func reversed<Code: Hashable>(_ names: [Code: String]) -> [String: Code] {
    Dictionary(uniqueKeysWithValues: names.map { ($1, $0) })
  }
}

/// Where an Xtc comes from.
public struct XTC1Source: Hashable, Sendable, CustomStringConvertible {
  /// level<<24 | process id. The process id differs from run to run, so sources are matched by `phy` and level only.
  public var log: UInt32
  /// detector<<24 | detector id<<16 | device<<8 | device id, or the code of the beam-line data.
  public var phy: UInt32

  public init(log: UInt32, phy: UInt32) {
    self.log = log
    self.phy = phy
  }

  public init(level: XTC1Format.Level, process: UInt32 = 0, phy: UInt32 = 0) {
    self.init(log: level.rawValue << 24 | process & 0xFF_FFFF, phy: phy)
  }

  /// A device by its psana name `CxiDs1.0:Cspad.0`, its DAQ name `CxiDs1-0|Cspad-0`, either within `DetInfo(...)`, or beam-line
  /// data by its name; `nil` for a name that is none of these.
  public init?(name: String, process: UInt32 = 0) {
    var name = name[...]
    for wrapper in ["DetInfo(", "BldInfo("] where name.hasPrefix(wrapper) && name.hasSuffix(")") {
      name = name.dropFirst(wrapper.count).dropLast()
    }
    if let code = XTC1Format.beamLineDataCodes[String(name)] {
      self.init(level: .reporter, process: process, phy: code)
      return
    }
    func part(_ text: Substring, _ codes: [String: UInt8], _ prefix: String) -> UInt32? {
      guard let split = text.lastIndex(where: { $0 == "." || $0 == "-" }) else { return nil }
      let label = text[..<split]
      let unlisted = label.hasPrefix(prefix) ? UInt8(label.dropFirst(prefix.count)) : nil
      guard let code = codes[String(label)] ?? unlisted, let number = UInt8(text[text.index(after: split)...]) else { return nil }
      return UInt32(code) << 8 | UInt32(number)
    }
    let halves = name.split(whereSeparator: { $0 == ":" || $0 == "|" })
    guard halves.count == 2, let detector = part(halves[0], XTC1Format.detectorCodes, "Detector"),
      let device = part(halves[1], XTC1Format.deviceCodes, "Device")
    else { return nil }
    self.init(level: .source, process: process, phy: detector << 16 | device)
  }

  public var level: XTC1Format.Level? { XTC1Format.Level(rawValue: log >> 24) }

  /// `CxiDs1.0:Cspad.0` as psana spells it, `EBeam` for beam-line data, the level otherwise. Codes that are not in the tables
  /// show as numbers, `Detector99.0:Device98.1`.
  public var name: String {
    switch level {
    case .source:
      let detector = UInt8(phy >> 24), device = UInt8(phy >> 8 & 0xFF)
      let place = XTC1Format.detectorNames[detector] ?? "Detector\(detector)"
      let kind = XTC1Format.deviceNames[device] ?? "Device\(device)"
      return "\(place).\(phy >> 16 & 0xFF):\(kind).\(phy & 0xFF)"
    case .reporter: return XTC1Format.beamLineDataNames[phy] ?? "Bld\(phy)"
    case .some(let level): return "\(level)"
    case nil: return "level \(log >> 24)"
    }
  }

  public var description: String { name }
}
