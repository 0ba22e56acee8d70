import Frames
import Host
import Tensors
import TestSupport
import Testing

/// Files that the facilities' own encoders wrote with known patterns.
@Suite(.enabled(if: RealData.isPresent, Comment(rawValue: RealData.absence))) struct XTCRealFileTests {
  @Test func theDAQEncodersPatternsAreReturned() throws {
    let reader = try XTC1Reader(opening: RealData.file("xtc1/daq_encoder_patterns.xtc"))
    let events = try events(reader)
    #expect(reader.transitions == ["Configure": 1, "BeginRun": 1, "L1Accept": 2])
    #expect(reader.skipped == [:])
    #expect(events.map(\.id.run) == [42, 42])
    #expect(events.map(\.id.seconds) == [1_500_000_002, 1_500_000_003])
    #expect(events.map(\.id.nanoseconds) == [24690, 37035])
    #expect(events.map(\.id.fiducial) == [6, 9])
    for event in events {
      #expect(
        event.payloads.map(\.info.source) == ["CxiDs1.0:Cspad.0", "XppGon.0:Cspad2x2.0", "XppEndstation.0:Opal1000.1"])
      #expect(event.payloads.map(\.info.typeName) == ["CspadElement", "Cspad2x2Element", "Frame"])
      #expect(event.payloads.map(\.info.version) == [2, 1, 1])
      try cspad(event.payloads[0])
      let pair = event.payloads[1].bytes
      #expect(pair.count == 287152)
      let words = Int16.array(littleEndian: Array(pair[32...]))
      #expect(words.enumerated().allSatisfy { $0.element == ($0.offset % 2 == 0 ? 1000 : 2000) })
      let frame = event.payloads[2].bytes
      #expect(UInt32.array(littleEndian: Array(frame[0..<16])) == [1024, 8, 12, 32])
      #expect(UInt16.array(littleEndian: Array(frame[16..<16 + 2 * 1024 * 8])) == (0..<8192).map { UInt16($0 % 4096) })
      #expect(event.scalars.count == 20)
      #expect(event.scalars["ebeam.charge_nC"] == 0.5)
      #expect(event.scalars["ebeam.L3Energy_MeV"] == 1.5)
      #expect(event.scalars["ebeam.XTCAVAmpl_MV"] == 14.5)
      #expect(event.scalars["ebeam.PhotonEnergy_eV"] == 17.5)
      #expect(event.scalars["ebeam.LTU450_mm"] == 19.5)
    }
  }

  private func cspad(_ payload: Payload) throws {
    let configuration = try #require(payload.configuration)
    #expect(configuration.typeName == "CspadConfig" && configuration.version == 5 && configuration.bytes.count == 287928)
    #expect(Array(configuration.bytes[84..<88]) == [0xFF, 0x0F, 0xFF, 0xFF])
    var offset = 0
    for (quad, sections) in [(2, 8), (0, 8), (3, 8), (1, 4)] {
      #expect(payload.bytes[offset + 7] & 3 == UInt8(quad))
      let count = sections * 185 * 388
      let pixels = Int16.array(littleEndian: Array(payload.bytes[offset + 32..<offset + 32 + 2 * count]))
      let isPattern = pixels.indices.allSatisfy { index in
        Int(pixels[index]) == 1000 * quad + 100 * (index / (185 * 388)) + index % 97
      }
      #expect(isPattern, "quad \(quad)")
      offset += 32 + 2 * count + 4
    }
    #expect(offset == payload.bytes.count)
  }

  @Test func compressedImagesDecodeToTheOriginal() throws {
    let raw = try RealData.bytes("xtc1/compressed_image.raw")
    #expect(try XTC1Compression.histN(RealData.bytes("xtc1/compressed_image.histn"), size: raw.count, path: "histn") == raw)
    #expect(try XTC1Compression.hist16(RealData.bytes("xtc1/compressed_image.hist16"), size: raw.count, path: "hist16") == raw)
  }

  @Test func psanasWritersPatternsAreReturned() throws {
    let reader = try XTC2Reader(opening: RealData.file("xtc2/psana_writer_patterns.xtc2"))
    let events = try events(reader)
    #expect(events.count == 3)
    #expect(reader.transitions == ["Configure": 1, "BeginRun": 1, "L1Accept": 3])
    #expect(events.allSatisfy { $0.id.experiment == "simexp" && $0.id.run == 7 })
    for event in events {
      let shapes = Dictionary(uniqueKeysWithValues: event.payloads.map { ($0.info.source, $0.info) })
      #expect(shapes["xtcav/raw/array"]?.shape == [32, 48] && shapes["xtcav/raw/array"]?.element == .uint16)
      #expect(shapes["cspad/raw/array"]?.shape == [2, 185, 388] && shapes["cspad/raw/array"]?.element == .int16)
    }
    let labels = events.compactMap { $0.scalars["xtcav/raw/label"] }
    // 1.5 times the position of the datagram in the file, where Configure has 0 and BeginRun 1.
    #expect(labels == [3, 4.5, 6])
  }

  @Test func theJungfrauRunHasTwoEventsOfOnePanel() throws {
    let reader = try XTC2Reader(opening: RealData.file("xtc2/jungfrau05M_mfx101332224_r7.xtc2"))
    let events = try events(reader)
    #expect(events.count == 2)
    for event in events {
      #expect(event.id.experiment == "mfx101332224" && event.id.run == 7)
      let images = event.payloads.filter { $0.info.typeName == "jungfrau" && $0.info.shape.rank == 3 }
      #expect(images.map(\.info.shape) == [[1, 512, 1024]])
      #expect(images.map(\.info.element) == [.uint16])
    }
  }

  @Test func theLineCameraRunHasItsFrames() throws {
    let reader = try XTC2Reader(opening: RealData.file("xtc2/timetool_linecamera_tmo.xtc2"))
    let events = try events(reader)
    #expect(reader.transitions["L1Accept"] == events.count)
    // Counted with psana 4.3.4: edge positions alone, one camera frame, one frame and a background.
    var sizes: [Int: Int] = [:]
    for event in events {
      #expect(event.payloads.map(\.info.source) == ["tmott/ttalg/data"])
      sizes[event.payloads[0].bytes.count, default: 0] += 1
    }
    #expect(sizes == [144: 662, 2208: 552, 4272: 111])
  }

  @Test func theXtcwriterSampleIsRead() throws {
    let reader = try XTC2Reader(opening: RealData.file("xtc2/xtcwriter_sample.xtc2"))
    let events = try events(reader)
    #expect(reader.transitions.values.reduce(0, +) == 10)
    // psana shows two segments of each detector; a 3x6 array a segment.
    for event in events {
      #expect(event.id.experiment == "xpptut15" && event.id.run == 14)
      let cspad = try #require(event.payloads.first { $0.info.source == "xppcspad/raw/arrayRaw" })
      #expect(cspad.info.shape == [2, 3, 6] && cspad.info.element == .uint16)
      #expect(event.scalars["xpphsd/fex/intFex/segment1"] == 42)
      #expect(event.scalars["xpphsd/raw/floatPgp/segment0"] == 1)
    }
    #expect(!events.isEmpty)
  }
}
