import Corpora
import Frames
import Tensors
import Testing

/// The oracle is the long way: the assembled picture, framed and averaged.
struct ProjectionTests {
  /// Tilted and overlapping panels: several panel pixels on one canvas pixel, and gaps.
  private func assembly(seed: UInt64) throws -> Assembly {
    var random = Philox(seed: seed)
    func number(_ range: ClosedRange<Double>) -> Double { range.lowerBound + Double(random.next() >> 11) * 0x1p-53 * (range.upperBound - range.lowerBound) }
    let nodes = (0..<5).map { index in
      Geometry.Node(
        parent: "TOP:V1", object: "MTRX:23:31:100:100", index: index, x: number(0...4000), y: number(0...4000),
        rotationZ: [0, 90, 180, 270, 33][index], tiltZ: number(-4...4))
    }
    var positions = try Geometry(nodes: nodes).pixelPositions()
    // Pixels that the geometry leaves out.
    if seed == 3 { positions.isLeftOut = (0..<positions.x.shape.count).map { _ in random.next() % 9 == 0 } }
    return try Assembly(positions: positions, panelShape: [5, 23, 31], path: "")
  }

  @Test(arguments: [SourceRecipe.Fit.inside, .crop, .stretch], [1 as UInt64, 2, 3])
  func oneStepGivesWhatThreeGive(fit: SourceRecipe.Fit, seed: UInt64) throws {
    let assembly = try assembly(seed: seed)
    #expect(assembly.collisions > 0)
    var random = Philox(seed: seed).keyed("frames")
    for (height, width) in [(9, 9), (17, 11), (6, 40), (75, 90)] {
      let image = CorpusRecipe.ImageSize(height: height, width: width)
      let projection = Projection(assembly, image, fit)
      for trial in 0..<4 {
        // The second frame has the mask of the first, the last one shows nothing.
        let count = 5 * 23 * 31
        var maskDraws = Philox(seed: seed).keyed("mask \(trial / 2)")
        let mask = (0..<count).map { _ in trial == 3 ? 0 : UInt8(maskDraws.next() % 5 == 0 ? 0 : 1) }
        let signal = (0..<count).map { i in mask[i] == 0 ? 0 : Float(Int64(truncatingIfNeeded: random.next() % 4001) - 1000) / 7 }
        let frame = Frame(signal: Tensor([5, 23, 31], signal), mask: Tensor([5, 23, 31], mask), unit: .adu)
        let whole = assembly.assemble(frame)
        let expected = Framing(sourceHeight: whole.height, sourceWidth: whole.width, height: height, width: width, fit: fit).applied(to: whole)
        let found = projection.picture(of: frame)
        for i in found.pixels.elements.indices {
          #expect(abs(found.weight.elements[i] - expected.weight.elements[i]) < 1e-6)
          #expect((found.weight.elements[i] > 0) == (expected.weight.elements[i] > 0))
          #expect(abs(found.pixels.elements[i] - expected.pixels.elements[i]) <= 1e-5 * max(1, abs(expected.pixels.elements[i])))
        }
      }
    }
  }

  /// Three tilted sensors, of which two overlap.
  @Test func panelByPanelGivesTheBitsOfWholeFrames() throws {
    let nodes = (0..<3).map { index in
      Geometry.Node(
        parent: "CSPAD:V1", object: "SENS2X1:V1", index: index, x: Double(index) * 21000, y: Double(index) * 900,
        rotationZ: [0, 90, 180][index], tiltZ: [0.3, -0.2, 0.1][index])
    }
    let shape: Shape = [3, 185, 388]
    let assembly = try Assembly(positions: try Geometry(nodes: nodes).pixelPositions(), panelShape: shape, path: "")
    #expect(assembly.collisions > 0)
    let projection = Projection(assembly, CorpusRecipe.ImageSize(height: 33, width: 41), .inside)
    var random = Philox(seed: 4)
    let pedestal = (0..<shape.count).map { _ in Float(1000 + Int(random.next() % 3000)) / 2 }
    let constants = CalibrationConstants(
      pedestal: Tensor(shape, pedestal), gain: Tensor(repeating: 27, shape),
      status: Tensor(shape, (0..<shape.count).map { _ in random.next() % 50 == 0 ? 1 : 0 }), commonMode: .histogram)
    let development = try #require(try PanelwiseDevelopment(CSPAD.self, constants, projection, path: "p"))
    var payloads: [Payload] = [], expected: [(picture: MaskedImage, unit: Frame.Unit, saturation: Double)] = []
    for _ in 0..<3 {
      let words = pedestal.map { UInt16(Double($0) + random.normal(6, 3.4) + (random.next() % 7 == 0 ? 300 : 0) + (random.next() % 999 == 0 ? 15500 : 0)) }
      let payload = Payload(
        info: PayloadInfo(source: "", typeName: "dataset", element: .uint16, shape: shape),
        bytes: words.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] })
      let raw = try CSPAD.decode(payload, path: "p"), frame = try CSPAD.calibrate(raw, constants, path: "p")
      let good = frame.mask.elements.count { $0 != 0 }
      let saturated = raw.elements.indices.count { raw.elements[$0] >= 16383 && frame.mask.elements[$0] != 0 }
      payloads.append(payload)
      expected.append((projection.picture(of: frame), frame.unit, Double(saturated) / Double(good)))
    }
    #expect(Set(expected.map(\.saturation)).count == 3, "frames differ")
    // Each is what it is alone, also beside one of other panels.
    var stranger = payloads[0]
    stranger.info.shape = [2, 185, 388]
    stranger.bytes = [UInt8](repeating: 0, count: 4 * 185 * 388)
    let found = development.pictures(of: [payloads[0], stranger, payloads[1], payloads[2]], path: "p") + development.pictures(of: [payloads[1]], path: "p")
    for (picture, frame) in zip(found, [0, nil, 1, 2, 1] as [Int?]) {
      let wanted = frame.map { expected[$0] }
      #expect(picture?.image == wanted?.picture && picture?.unit == wanted?.unit && picture?.saturation == wanted?.saturation)
    }
    #expect(found.count == 5)
    // Counts whose signal is no finite number, or of other panels, are left to the steps.
    var faulty = constants
    (faulty.pedestal, faulty.gain) = (nil, Tensor(repeating: 1.2e-38, shape))
    let other = try #require(try PanelwiseDevelopment(CSPAD.self, faulty, projection, path: "p"))
    let info = PayloadInfo(source: "", typeName: "dataset", element: .int16, shape: shape)
    let ones = Payload(info: info, bytes: [UInt8](repeating: 1, count: 2 * shape.count))
    let outcomes = other.pictures(of: [ones, Payload(info: info, bytes: [UInt8](repeating: 0, count: 2 * shape.count))], path: "p")
    #expect(outcomes.map { $0 == nil } == [true, false])
  }
}
