import Foundation
import Frames
import Host
import Tensors
import Testing

/// The oracle is the calibration of whole frames, a loop a step.
@Suite struct PanelwiseCalibration {
  private static let pixels = 185 * 388

  /// Noise around pedestals with a shift a panel, photons, and constants with every fault that a calibration can have.
  private func constants(panels: Int, seed: UInt64) -> CalibrationConstants {
    var random = Philox(seed: seed).keyed("constants")
    let shape: Shape = [panels, 185, 388]
    func some(_ share: UInt64) -> Bool { random.next() % share == 0 }
    let pedestal = (0..<shape.count).map { _ -> Float in some(5000) ? .nan : some(5000) ? .infinity : Float(random.uniform(998, 1002)) }
    let gain = (0..<shape.count).map { _ -> Float in some(5000) ? 0 : some(5000) ? -.infinity : Float(random.uniform(20, 35)) }
    let status = (0..<shape.count).map { _ -> UInt32 in some(400) ? UInt32(random.next() % 40) : 0 }
    return CalibrationConstants(
      pedestal: seed % 3 == 0 ? nil : Tensor(shape, pedestal), gain: seed % 4 == 0 ? nil : Tensor(shape, gain), status: Tensor(shape, status),
      pixelMask: seed % 2 == 0 ? nil : Tensor(shape, status.map { $0 == 3 ? 0 : 1 }))
  }

  private func counts(panels: Int, seed: UInt64) -> [UInt16] {
    var random = Philox(seed: seed).keyed("counts")
    var values: [UInt16] = []
    for panel in 0..<panels {
      let shift = panel % 2 == 0 ? 6.3 : -4.2, noise = (0..<997).map { _ in random.normal(1000 + shift, 4) }
      for _ in 0..<Self.pixels {
        let draw = random.next()
        if draw % 8192 == 0 { values.append(UInt16(truncatingIfNeeded: draw >> 32)) } else {
          values.append(UInt16(max(0, noise[Int(draw >> 20) % 997] + (draw % 9 == 0 ? Double(draw >> 40 & 0xFF) : 0))))
        }
      }
    }
    return values
  }

  @Test(arguments: [
    (UInt64(1), CommonMode.histogram, [] as [String]), (2, .histogram, ["status", "pixelMask", "edges", "central"]), (3, .none, ["status", "nonBonded8"]),
    (4, .parameters(try! CommonModeParameters([1, 8, 25, 300])), ["status"]), (5, .histogram, ["pixelMask"]),
  ])
  func signalsHaveTheBitsOfWholeFrames(_ seed: UInt64, _ mode: CommonMode, _ masks: [String]) throws {
    var constants = constants(panels: 2, seed: seed)
    constants.commonMode = mode
    if !masks.isEmpty { constants.mask = try PixelMask(masks) }
    let words = counts(panels: 2, seed: seed), isSigned = seed % 2 == 1
    let payload = Payload(
      info: PayloadInfo(source: "", typeName: "dataset", element: isSigned ? .int16 : .uint16, shape: [2, 185, 388]),
      bytes: words.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] })
    let raw = try CSPAD.decode(payload, path: "p"), whole = try CSPAD.calibrate(raw, constants, path: "p")
    let full = seed == 3 ? Float(1060) : try #require(CSPAD.fullScale(of: payload))
    let saturated = raw.elements.indices.count { raw.elements[$0] >= full && whole.mask.elements[$0] != 0 }
    #expect(saturated > 0)
    let calibration = try #require(try CSPAD.panelCalibration(constants, panels: 2, path: "p"))
    #expect(calibration.mask == whole.mask && calibration.unit == whole.unit)
    let shifted = mode == .none ? whole : try CSPAD.calibrate(raw, { var c = constants; c.commonMode = .none; return c }(), path: "p")
    #expect((shifted.signal == whole.signal) == (mode == .none), "common mode shifts something")
    var place = try #require(try CSPAD.panelCounts(of: payload, path: "p"))
    // At an odd address, too.
    for lead in [0, 1] {
      let bytes = [UInt8](repeating: 9, count: lead) + payload.bytes
      place.offsets = [lead, lead + 2 * Self.pixels]
      for instructions in PixelInstructions.available {
        var seen: [Int] = []
        let frame = CountedFrame(place, in: bytes, fullScale: full)
        let outcome = calibration.forEachPanel(of: [frame], instructions: instructions) { panel, _, signal in
          seen.append(panel)
          let expected = whole.signal[first: panel].elements
          let wrong = expected.indices.count { expected[$0] != signal[$0] }
          #expect(wrong == 0, "panel \(panel), \(instructions)")
        }
        #expect(seen == [0, 1] && outcome.map(\.isFinite) == [true] && outcome[0].saturated == saturated)
      }
    }
  }

  @Test func panelsThatWereNotStoredArePassedOver() throws {
    let constants = constants(panels: 2, seed: 1), words = counts(panels: 1, seed: 1)
    let calibration = try #require(try CSPAD.panelCalibration(constants, panels: 2, path: "p"))
    let bytes = words.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    var seen: [Int] = []
    _ = calibration.forEachPanel(of: [CountedFrame(PanelCounts(offsets: [nil, 0], isSigned: true), in: bytes)]) { panel, _, _ in
      seen.append(panel)
    }
    #expect(seen == [1])
  }

  @Test func aSignalBeyondFloatIsTold() throws {
    var constants = CalibrationConstants(gain: Tensor(repeating: 1, [1, 185, 388]))
    constants.gain?.elements[500] = 1.2e-38
    let calibration = try #require(try CSPAD.panelCalibration(constants, panels: 1, path: "p"))
    for byte in [0, 62] as [UInt8] {
      let bytes = [UInt8](repeating: byte, count: 2 * Self.pixels)
      for instructions in PixelInstructions.available {
        let frame = CountedFrame(PanelCounts(offsets: [0], isSigned: true), in: bytes)
        let outcome = calibration.forEachPanel(of: [frame], instructions: instructions) { _, _, _ in }
        #expect(outcome.map(\.isFinite) == [byte == 0])
      }
    }
  }

  @Test func whatNeedsMoreThanAPanelIsLeftToWholeFrames() throws {
    let none = CalibrationConstants(commonMode: .nonBonded)
    #expect(try CSPAD.panelCalibration(none, panels: 1, path: "p")?.shape == nil)
    for numbers in [[1, 25, 25, 100, 1], [1, 25, 25, 100, 2, 100, 1], [3, 100, 50, 8]] as [[Double]] {
      let constants = CalibrationConstants(commonMode: .parameters(try CommonModeParameters(numbers)))
      #expect(try CSPAD.panelCalibration(constants, panels: 1, path: "p")?.shape == nil)
    }
    #expect(throws: InputError.self) {
      try CSPAD.panelCalibration(CalibrationConstants(gain: Tensor(repeating: 1, [1, 185, 388])), panels: 2, path: "p")
    }
    for shape in [[185, 388, 2], [64, 185, 194], [1480, 1552]] as [Shape] {
      let info = PayloadInfo(source: "", typeName: "npy", element: .int16, shape: shape)
      #expect(try CSPAD.panelCounts(of: Payload(info: info, bytes: [UInt8](repeating: 0, count: 2 * shape.count)), path: "p") == nil)
    }
    let real = PayloadInfo(source: "", typeName: "npy", element: .float32, shape: [1, 185, 388])
    #expect(try CSPAD.panelCounts(of: Payload(info: real, bytes: [UInt8](repeating: 0, count: 4 * Self.pixels)), path: "p") == nil)
  }
}

@Suite struct SumsOverPixels {
  /// Whole numbers: sums are exact, whatever their order.
  @Test(arguments: [(1, 3), (5, 2), (15, 9), (16, 4), (17, 30), (400, 7), (3000, 500)])
  func everyTermCountsOnce(_ pixels: Int, _ cells: Int) {
    var random = Philox(seed: UInt64(pixels))
    for spread in [1, 8, cells] {
      var builder = PixelSums.Builder(pixelCount: pixels), expected = [Double](repeating: 0, count: cells)
      let signal = (0..<pixels).map { _ in Float(Int(random.next() % 4001) - 2000) }
      for pixel in 0..<pixels where random.next() % 5 != 0 {
        for _ in 0..<Int(random.next() % 4) {
          let cell = (pixel * cells / pixels + Int(random.next() % UInt64(spread))) % cells, weight = Int(random.next() % 16641) + 1
          builder.add(pixel: pixel, cell: cell, weight: weight)
          expected[cell] += Double(weight) * Double(signal[pixel])
        }
      }
      let sums = builder.finish()
      for instructions in PixelInstructions.available {
        var found = [Double](repeating: 1, count: cells)
        sums.add(signal.span, to: &found, instructions: instructions)
        #expect(found == expected.map { $0 + 1 }, "\(instructions), spread \(spread)")
      }
    }
  }

  @Test func allInstructionsRoundAlike() {
    var random = Philox(seed: 9), builder = PixelSums.Builder(pixelCount: 4000)
    let signal = (0..<4000).map { _ in Float(random.normal(0, 1) * exp2(random.uniform(-20, 20))) }
    for pixel in 0..<4000 {
      for _ in 0..<2 { builder.add(pixel: pixel, cell: pixel / 13 + Int(random.next() % 2), weight: Int(random.next() % 300) + 1) }
    }
    let sums = builder.finish()
    let found = PixelInstructions.available.map { instructions in
      var found = [Double](repeating: 0, count: 310)
      sums.add(signal.span, to: &found, instructions: instructions)
      return found.map(\.bitPattern)
    }
    #expect(Set(found).count == 1)
  }
}
