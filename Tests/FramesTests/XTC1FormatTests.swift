import Frames
import Testing

@Suite struct XTC1FormatTests {
  @Test(arguments: [
    ("CxiDs1.0:Cspad.0", 0x2000_0A00 as UInt32), ("CxiDs2.0:Cspad.0", 0x2100_0A00), ("CxiDsd.0:Cspad.0", 0x2400_0A00),
    ("XppGon.0:Cspad.0", 0x1400_0A00), ("XppGon.0:Cspad2x2.0", 0x1400_0D00), ("XppEndstation.0:Opal1000.1", 0x1600_0301),
    ("SxrEndstation.0:Opal1000.0", 0x0C00_0300), ("AmoEndstation.0:Opal1000.0", 0x1700_0300),
    ("XrayTransportDiagnostic.0:Opal1000.0", 0x2E00_0300), ("Detector99.7:Device98.1", 0x6307_6201),
  ])
  func sourceNamesAndCodesConvertBothWays(name: String, phy: UInt32) throws {
    let source = try #require(XTC1Source(name: name))
    #expect(source.phy == phy)
    #expect(source.level == .source)
    #expect(XTC1Source(log: 0x0100_1234, phy: phy).name == name)
    #expect(XTC1Source(name: "DetInfo(\(name))") == source)
    #expect(XTC1Source(name: name.replacing(".", with: "-").replacing(":", with: "|")) == source)
  }

  @Test func beamLineDataAreReporters() {
    #expect(XTC1Source(name: "EBeam") == XTC1Source(log: 0x0600_0000, phy: 0))
    #expect(XTC1Source(name: "BldInfo(FEEGasDetEnergy)")?.phy == 2)
    #expect(XTC1Source(log: 0x0600_0000, phy: 26).name == "GMD")
  }

  @Test(arguments: ["", "CxiDs1.0", "CxiDs1:Cspad", "CxiDs1.0:Cspad.300", "Nowhere.0:Cspad.0", "DetInfo()"])
  func otherTextIsNoSource(name: String) { #expect(XTC1Source(name: name) == nil) }

  @Test func typeIdsPackVersionAndCode() {
    #expect(XTC1Format.TypeID("CspadElement", version: 2).word == 0x0002_001C)
    #expect(XTC1Format.TypeID(word: 0x8002_001C).description == "CspadElement v2")
    #expect(XTC1Format.TypeID(word: 0x0003_FFFF).description == "Type 65535 v3")
    #expect(XTC1Format.Transition(rawValue: 12)?.name == "L1Accept")
    #expect(XTC1Format.typeNames.count == XTC1Format.typeCodes.count)
    #expect(XTC1Format.deviceNames.count == XTC1Format.deviceCodes.count)
  }
}
