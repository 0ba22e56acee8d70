import Foundation
import Frames
import Host
import Tensors
import TestSupport
import Testing

/// Streams and chunks of a run become one sequence of events.
@Suite struct RunStreamsTests {
  private static let config = SampleFiles.xtc1(type: 0x0001_0006, phy: SampleFiles.opal, [1, 2, 3, 4, 5, 6, 7, 8])

  /// An event at `seconds` whose camera pixels begin with it.
  private func shot(_ seconds: UInt32, fiducial: UInt32, phy: UInt32 = SampleFiles.opal) -> [UInt8] {
    SampleFiles.datagram1(
      12, seconds: seconds, fiducial: fiducial, [SampleFiles.xtc1(type: 0x0001_0002, phy: phy, SampleFiles.frame(UInt16(seconds % 1000)))])
  }

  private func opening(run: UInt32) -> [UInt8] {
    SampleFiles.datagram1(4, seconds: 900, [Self.config]) + SampleFiles.datagram1(6, seconds: 901, env: run, [])
  }

  /// Shots of one camera at `first`, `first` + 1 ... with these fiducials.
  private func shots(from first: UInt32, _ fiducials: [UInt32], phy: UInt32 = SampleFiles.opal) -> [UInt8] {
    var bytes: [UInt8] = []
    for (place, fiducial) in fiducials.enumerated() { bytes += shot(first + UInt32(place), fiducial: fiducial, phy: phy) }
    return bytes
  }

  private func write(_ files: [String: [UInt8]], _ scratch: Scratch) throws -> [String] {
    try files.map { try scratch.write($0.value, $0.key) }.sorted()
  }

  @Test func eventsOfAllStreamsAndChunksComeInTheirOrder() throws {
    let scratch = Scratch()
    // Shots are dealt to the recorders in turn, each recorder begins a new file after its first shots.
    let times = (0..<20).map { UInt32(1000 + 3 * $0) }
    var files: [String: [UInt8]] = [:]
    for stream in 0..<3 {
      let own = times.indices.filter { $0 % 3 == stream }.map { shot(times[$0], fiducial: times[$0] % 131_040) }
      files["exp-r0042-s0\(stream)-c00.xtc"] = opening(run: stream == 0 ? 0 : 42) + Array(own.prefix(2).joined())
      files["exp-r0042-s0\(stream)-c01.xtc"] = own[2]
      files["exp-r0042-s0\(stream)-c02.xtc"] = Array(own.dropFirst(3).joined()) + SampleFiles.datagram1(7, seconds: 2000, [])
    }
    let paths = try write(files, scratch)
    #expect(RunFile.runs(of: paths) == [paths])
    let reader = try RunFile.open(run: paths.reversed())
    let found = try events(reader)
    #expect(found.map(\.id.seconds) == times)
    #expect(found.map(\.index) == Array(0..<20))
    for event in found {
      #expect(event.id.run == 42 && event.id.experiment == "exp")
      #expect(event.payloads[0].configuration != nil)
      #expect(event.payloads[0].bytes == SampleFiles.frame(UInt16(event.id.seconds % 1000)))
    }
    #expect(reader.transitions == ["Configure": 3, "BeginRun": 3, "L1Accept": 20, "EndRun": 3])
    #expect(reader.skipped == [:])
  }

  @Test func partsOfOneTimeAreOneEvent() throws {
    let scratch = Scratch()
    let second: UInt32 = 0x1600_0302
    let paths = try write(
      [
        "exp-r0001-s00-c00.xtc": opening(run: 1) + shots(from: 1005, [15, 18]) + shot(1008, fiducial: 24),
        "exp-r0001-s01-c00.xtc": opening(run: 1) + shot(1005, fiducial: 15, phy: second) + shots(from: 1007, [21, 24], phy: second),
      ], scratch)
    let found = try events(try RunFile.open(run: paths))
    #expect(found.map(\.id.seconds) == [1005, 1006, 1007, 1008])
    let cameras = found.map { event in event.payloads.map { String($0.info.source.suffix(1)) } }
    #expect(cameras == [["1", "2"], ["1"], ["2"], ["1", "2"]])
  }

  @Test func controlStreamsJoinByFiducialAcrossDriftAndWrap() throws {
    let scratch = Scratch()
    let slow: UInt32 = 0x1600_0303
    // The pulse number passes its end; the control clock is 7 s behind, has one shot too many and one too few.
    let pulses: [UInt32] = [131_034, 131_037, 0, 3, 6]
    let paths = try write(
      [
        "exp-r0001-s00-c00.xtc": opening(run: 1) + shots(from: 1000, pulses),
        "exp-r0001-s80-c00.xtc": opening(run: 1) + shots(from: 993, [131_034, 131_036, 0, 3, 9], phy: slow),
        "exp-r0001-s81-c00.xtc": opening(run: 1) + shot(1200, fiducial: 131_037, phy: 0x1600_0304),
      ], scratch)
    let reader = try RunFile.open(run: paths)
    let found = try events(reader)
    #expect(found.map(\.id.fiducial) == pulses)
    #expect(found.map(\.id.seconds) == [1000, 1001, 1002, 1003, 1004])
    #expect(found.map(\.payloads.count) == [2, 1, 2, 2, 1])
    #expect(
      reader.skipped == [
        "L1Accept of control stream 80 that no event claims": 2, "L1Accept of control stream 81 that no event claims": 1,
      ])
  }

  @Test func controlStreamsAloneAreRead() throws {
    let scratch = Scratch()
    let paths = try write(
      [
        "exp-r0001-s80-c00.xtc": opening(run: 1) + shots(from: 1001, [3, 6]),
        "exp-r0001-s81-c00.xtc": opening(run: 1) + shots(from: 1005, [3, 6], phy: 0x1600_0302),
      ], scratch)
    #expect(try events(try RunFile.open(run: paths)).map(\.payloads.count) == [2, 2])
  }

  @Test func runsAreToldFromFileNames() {
    let paths = [
      "/a/exp-r0001-s01-c00.xtc", "/a/exp-r0002-s00-c00.xtc", "/a/exp-r0001-s00-c00.xtc", "/b/exp-r0001-s00-c00.xtc", "/a/x.h5",
      "/a/exp-r0001.xtc", "/a/exp-r0001-s000-c000.xtc2", "/a/exp-r0001-s001-c000.xtc2",
    ]
    let runs: [[String]] = [
        ["/a/exp-r0001-s01-c00.xtc", "/a/exp-r0001-s00-c00.xtc"], ["/a/exp-r0002-s00-c00.xtc"], ["/b/exp-r0001-s00-c00.xtc"], ["/a/x.h5"],
        ["/a/exp-r0001.xtc"], ["/a/exp-r0001-s000-c000.xtc2", "/a/exp-r0001-s001-c000.xtc2"],
    ]
    #expect(RunFile.runs(of: paths) == runs)
  }

  @Test func filesThatAreNoRunAreRefused() throws {
    let scratch = Scratch()
    let bytes = opening(run: 1) + shot(1000, fiducial: 3)
    func refused(_ names: [String]) throws -> InputError? {
      let paths = try names.map { try scratch.write(bytes, $0) }
      do throws(InputError) {
        _ = try RunFile.open(run: paths)
        return nil
      } catch { return error }
    }
    #expect(try refused(["exp-r0001-s00-c00.xtc", "exp-r0001-s00-c02.xtc"])?.expected == "chunk 1 before it")
    #expect(try refused(["exp-r0001-s00-c00.xtc", "exp-r0002-s01-c00.xtc"])?.found == "exp run 2")
    #expect(try refused(["exp-r0001-s00-c00.xtc", "other.xtc"])?.place == "file name")
    #expect(try refused(["exp-r0001-s00-c00.xtc", "exp-r0001-s1-c00.xtc", "exp-r0001-s01-c00.xtc"])?.expected == "each chunk once")
  }

  @Test func xtc2SegmentsOfSeveralStreamsAreStacked() throws {
    let scratch = Scratch()
    let camera: [(name: String, type: UInt32, rank: UInt32)] = [("raw", 1, 2)]
    func stream(_ segment: UInt32, _ events: [UInt32]) -> [UInt8] {
      let configure = SampleFiles.datagram2(
        2, seconds: 10,
        [
          SampleFiles.names(0x100, "epix", "cam", "raw", segment: segment, camera),
          SampleFiles.names(0x101 + segment, "epics", "epics", "raw", segment: 0, [("T\(segment)", 9, 0)]),
        ])
      let temperature = SampleFiles.le([Double(segment) + 0.5])
      let slow = SampleFiles.datagram2(10, seconds: 11, [SampleFiles.shapesData(0x101 + segment, shapes: [], data: temperature)])
      var bytes = configure + slow
      for second in events {
        let pixels = DAQRecords.halves([UInt16(second), UInt16(segment)])
        bytes += SampleFiles.datagram2(12, seconds: second, [SampleFiles.shapesData(0x100, shapes: [[1, 2]], data: pixels)])
      }
      return bytes
    }
    let paths = try write(
      ["exp-r0003-s000-c000.xtc2": stream(1, [20, 21, 23]), "exp-r0003-s001-c000.xtc2": stream(0, [20, 22, 23])], scratch)
    let reader = try RunFile.open(run: paths)
    let found = try events(reader)
    #expect(found.map(\.id.seconds) == [20, 21, 22, 23])
    #expect(found.map(\.payloads.count) == [1, 0, 0, 1])
    #expect(found[3].payloads[0].info.shape == [2, 1, 2])
    #expect(UInt16.array(littleEndian: found[3].payloads[0].bytes) == [23, 0, 23, 1])
    #expect(found.allSatisfy { $0.scalars == ["epics/raw/T0": 0.5, "epics/raw/T1": 1.5] })
    #expect(found[1].damage.map(\.reason) == ["1 of 2 segments"])
    #expect(found[1].damage.map(\.source) == ["cam/raw/raw"])
    #expect(reader.skipped == ["cam/raw/raw with 1 of 2 segments": 2])
  }

  @Test func xtc2DamageIsToldWithItsBits() throws {
    let scratch = Scratch()
    var bytes = SampleFiles.xtc2
    // The damage word of the second event's first record of data.
    let event = SampleFiles.datagram2(12, seconds: 2003, [])
    let head = Array(event[0..<12])
    let start = try #require(bytes.indices.dropLast(12).first { (place: Int) -> Bool in Array(bytes[place..<place + 12]) == head })
    bytes[start + 24 + 4] = 1 << 3 | 1 << 6
    let found = try events(try XTC2Reader(opening: try scratch.write(bytes, "a.xtc2")))
    #expect(found.map(\.payloads.count) == [1, 0, 1])
    #expect(found[1].damage.map(\.reason) == ["Corrupted, TimedOut", "1 of 2 segments"])
    #expect(found[1].damage[0].source == "cam/raw")
    #expect(found[1].damage[0].offset == start + 24)
  }
}
