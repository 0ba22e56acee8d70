import Frames
import Host
import Tensors
import TestSupport
import Testing

/// Every stored picture of other people's files, through reader, catalogue and calibration.
@Suite(.enabled(if: RealData.isPresent, Comment(rawValue: RealData.absence))) struct RealDetectors {
  private func frames(_ name: String) throws -> [(detector: String, frame: Frame)] {
    let path = RealData.file(name), reader = try RunFile.open(path)
    var found: [(String, Frame)] = []
    while let event = try reader.next() {
      for payload in event.payloads {
        guard let detector = DetectorCatalog.detector(for: payload.info) else { continue }
        found.append((detector.name, try detector.calibrate(try detector.decode(payload, path: path), CalibrationConstants(), path: path)))
      }
    }
    return found
  }

  @Test func jungfrauOfARealRun() throws {
    let found = try frames("xtc2/jungfrau05M_mfx101332224_r7.xtc2")
    #expect(found.map(\.detector) == ["jungfrau", "jungfrau"])
    for (_, frame) in found {
      #expect(frame.signal.shape == [1, 512, 1024])
      // Gain bits are gone: 14 bits are left, and the pedestal of a dark Jungfrau is some thousand ADU.
      #expect(frame.signal.elements.allSatisfy { $0 < 16384 })
      #expect(frame.maskedCount < frame.mask.elements.count / 100)
    }
  }

  @Test func timeToolLineCameraOfARealRun() throws {
    let path = RealData.file("xtc2/timetool_linecamera_tmo.xtc2"), reader = try RunFile.open(path)
    var packets = 0, rows = 0
    while let event = try reader.next() {
      for payload in event.payloads where payload.info.element == .uint8 && payload.info.shape.rank == 1 {
        packets += 1
        #expect(DetectorCatalog.detector(for: payload.info) == nil)
        guard let row = try LineCamera.frame(inPacket: payload, path: path) else {
          #expect(throws: InputError.self) { try LineCamera.decode(payload, path: path) }
          continue
        }
        rows += 1
        #expect(row.count == 2048)
        #expect(try LineCamera.decode(payload, path: path).elements == row.map { Float($0) })
        var cut = payload
        cut.bytes.removeLast(7)
        #expect(throws: InputError.self) { try LineCamera.frame(inPacket: cut, path: path) }
      }
    }
    #expect(packets == 1325 && rows == 442)
  }

  @Test func xtcavAndCSPADOfPsanasWriter() throws {
    let found = try frames("xtc2/psana_writer_patterns.xtc2")
    #expect(Set(found.map(\.detector)) == ["xtcav", "cspad"])
    for (detector, frame) in found {
      #expect(frame.signal.shape == (detector == "xtcav" ? [1, 32, 48] : [2, 185, 388]))
    }
  }

  @Test func calibratedSensorsAndPictures() throws {
    let sensor = try frames("cspad/cspad2x1_cxitut13_r10_e32_calibrated.npy")
    #expect(sensor.map(\.detector) == ["cspad"] && sensor[0].frame.signal.shape == [1, 185, 388])
    // Only the non-bonded pixels are masked.
    #expect(sensor[0].frame.maskedCount == 38)
    let quad = try frames("cspad/cspad_quad_silver_behenate_topleft.npz")
    #expect(quad.map(\.detector) == ["picture"] && quad[0].frame.signal.shape == [1, 825, 885])
    let camera = try frames("cameras/psbeam/yag_01/image_001.png")
    #expect(camera.map(\.detector) == ["picture"])
    #expect(camera[0].frame.signal.elements.allSatisfy { (0...255).contains($0) })
  }
}
