import Foundation
import Frames
import Host
import Tensors
import TestSupport
import Testing

private func real(_ name: String) throws -> Geometry { try Geometry(readingFrom: RealData.file("geometry/" + name)) }

/// Intersection over union of two 0/1 pictures, the second shifted to the best place within `reach` of aligned middles.
private func registeredIoU(_ a: Tensor<UInt8>, _ b: Tensor<UInt8>, reach: Int) -> Double {
  let h = a.shape[0], w = a.shape[1], hb = b.shape[0], wb = b.shape[1]
  let sum = a.elements.reduce(0) { $0 + Int($1) } + b.elements.reduce(0) { $0 + Int($1) }
  var best = 0.0
  for dy in -reach...reach {
    for dx in -reach...reach {
      let oy = (h - hb) / 2 + dy, ox = (w - wb) / 2 + dx
      var both = 0
      for row in max(0, oy)..<min(h, oy + hb) {
        for column in max(0, ox)..<min(w, ox + wb) {
          both += Int(a.elements[row * w + column] & b.elements[(row - oy) * wb + column - ox])
        }
      }
      best = max(best, Double(both) / Double(sum - both))
    }
  }
  return best
}

/// Every fourth pixel of every fourth row, so that registration is quick.
private func thinned(_ a: Tensor<UInt8>) -> Tensor<UInt8> {
  let h = a.shape[0] / 4, w = a.shape[1] / 4
  return Tensor([h, w], (0..<h * w).map { a.elements[($0 / w * 4 + 1) * a.shape[1] + $0 % w * 4 + 1] })
}

private func mirrored(_ a: Tensor<UInt8>) -> Tensor<UInt8> {
  let w = a.shape[1]
  return Tensor(a.shape, a.elements.indices.map { a.elements[$0 / w * w + w - 1 - $0 % w] })
}

private func turned(_ a: Tensor<UInt8>) -> Tensor<UInt8> {
  let h = a.shape[0], w = a.shape[1]
  return Tensor([w, h], (0..<h * w).map { a.elements[($0 % h) * w + w - 1 - $0 / h] })
}

@Suite(.enabled(if: RealData.isPresent, Comment(rawValue: RealData.absence))) struct RealGeometries {
  @Test func cspadImageIsAsLargeAsPsanaMakesIt() throws {
    let shape: Shape = [32, 185, 388], geometry = try real("cspad_default.data")
    let own = try Assembly(geometry: geometry.withoutInteractionPoint, panelShape: shape)
    #expect(own.height == 1692 && own.width == 1691)
    #expect(own.collisions == 36)
    #expect(abs(own.footprint.elements.reduce(0.0) { $0 + Double($1) } / Double(1692 * 1691) - 0.80) < 0.01)
    let tilted = try Assembly(geometry: geometry, panelShape: shape)
    #expect(tilted.height == 1942 && tilted.width == 1940)
    #expect(abs(Double(tilted.collisions) / Double(shape.count) - 0.025) < 0.002)
  }

  @Test func cspad2x2ImageIsAsLargeAsPsanaMakesIt() throws {
    let own = try Assembly(geometry: try real("cspad2x2_default.data").withoutInteractionPoint, panelShape: [2, 185, 388])
    // 2 sensors of 391 columns, 185 rows, 23352 um apart.
    #expect(own.height == 391 && (397...398).contains(own.width))
  }

  @Test func cspadIsAPinwheel() throws {
    let full = try Assembly(geometry: try real("cspad_default.data").withoutInteractionPoint, panelShape: [32, 185, 388]).footprint
    let footprint = thinned(full)
    #expect(abs(registeredIoU(full, turned(full), reach: 3) - 0.98) < 0.01)
    let mirror = registeredIoU(footprint, mirrored(footprint), reach: 40)
    #expect(abs(mirror - 0.715) < 0.03, "mirror IoU \(mirror)")
  }

  @Test func treesOfQuadsAndOtherDetectorsAreRead() throws {
    let quads = try real("cspad_reference_psana.data").pixelPositions()
    #expect(quads.x.shape == [32, 185, 388])
    let jungfrau = try real("geometry-def-jungfrau4M.data").pixelPositions()
    #expect(jungfrau.x.shape == [8, 512, 1024] && jungfrau.pixelSize == 75)
    // ASICs stand two pixels apart, which the last column and the first share: columns 254 and 257 of one row are 5 pitches from
    // each other, the middles of the double-wide columns 255 and 256 are 2. Rows likewise.
    for (first, second, pitches) in [
      (254, 257, 5.0), (255, 256, 2), (254, 255, 1.5), (256, 257, 1.5), (0, 1, 1), (1022, 1023, 1), (255 * 1024, 256 * 1024, 2),
      (254 * 1024, 257 * 1024, 5),
    ] {
      let dx = jungfrau.x.elements[second] - jungfrau.x.elements[first], dy = jungfrau.y.elements[second] - jungfrau.y.elements[first]
      #expect(abs((dx * dx + dy * dy).squareRoot() - pitches * 75) < 1e-6, "pixels \(first) and \(second)")
    }
    let epix = try real("geometry-def-epix100a.data").pixelPositions()
    #expect(epix.x.shape == [1, 704, 768] && epix.pixelSize == 50)
  }

  @Test func writtenGeometryReadsBackTheSame() throws {
    let geometry = try real("cspad_default.data")
    #expect(try Geometry(parsing: geometry.text, path: geometry.path) == geometry)
  }
}

@Test func faultyGeometriesNameTheirLine() {
  let good = "CSPAD 0 SENS2X1:V1 0 0 0 0 0 0 0 0 0 0"
  for (text, place) in [
    ("# only a comment\n", "text"), ("\(good)\nCSPAD 0 SENS2X1:V1 1 0 0 0", "line 2"),
    ("\n\(good.replacingOccurrences(of: "V1 0 0", with: "V1 0 x"))", "line 2 field 5"), ("\(good)\n\(good)", "line 2"),
    (good.replacingOccurrences(of: "V1 0", with: "V1 -1"), "line 1"), (good.replacingOccurrences(of: "V1 0 0", with: "V1 0 inf"), "line 1 field 5"),
  ] {
    let error = #expect(throws: InputError.self) { try Geometry(parsing: text, path: "g").pixelPositions() }
    #expect(error?.place == place, "\(text)")
  }
  for text in [
    "A 0 B 0 0 0 0 0 0 0 0 0 0\nB 0 A 0 0 0 0 0 0 0 0 0 0",  // a loop
    "A 0 SENS2X1:V1 0 0 0 0 0 0 0 0 0 0\nB 0 SENS2X1:V1 1 0 0 0 0 0 0 0 0 0",  // two tops
    "A 0 UNKNOWN:V1 0 0 0 0 0 0 0 0 0 0", "A 0 MTRX:0:5:1:1 0 0 0 0 0 0 0 0 0 0", "A 0 MTRX:99999999:99999999:1:1 0 0 0 0 0 0 0 0 0 0",
    "A 0 SENS2X1:V1 0 0 0 0 0 0 0 0 0 0\nA 0 MTRX:4:4:1:1 1 0 0 0 0 0 0 0 0 0",
  ] {
    #expect(throws: InputError.self, "\(text)") { try Geometry(parsing: text, path: "g").pixelPositions() }
  }
  let huge = "A 0 MTRX:2:2:1:1 0 0 0 0 0 0 0 0 0 0\nA 0 MTRX:2:2:1:1 1 1e9 1e9 0 0 0 0 0 0 0"
  #expect(throws: InputError.self) {
    try Assembly(geometry: try Geometry(parsing: huge, path: "g"), panelShape: [2, 2, 2])
  }
}

@Test func collidingPixelsAreAveragedAndGapsWeighNothing() throws {
  // Two 1 × 3 matrices, the second two columns further on: they share one pixel, then a gap row below.
  let text = """
    A 0 MTRX:1:3:10:10 0 0 0 0 0 0 0 0 0 0
    A 0 MTRX:1:3:10:10 1 0 20 0 0 0 0 0 0 0
    A 0 MTRX:1:3:10:10 2 20 0 0 0 0 0 0 0 0
    """
  let assembly = try Assembly(geometry: try Geometry(parsing: text, path: "g"), panelShape: [3, 1, 3])
  #expect(assembly.height == 3 && assembly.width == 5 && assembly.collisions == 1)
  let frame = Frame(
    signal: Tensor([3, 1, 3], [1, 2, 3, 5, 6, 7, 8, 9, 10]), mask: Tensor([3, 1, 3], [1, 1, 1, 1, 1, 0, 1, 1, 1]), unit: .adu)
  let image = assembly.assemble(frame)
  #expect(image.pixels.elements == [1, 2, 4, 6, 0, 0, 0, 0, 0, 0, 8, 9, 10, 0, 0])
  #expect(image.weight.elements == [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0])
  let place = try #require(assembly.location(row: 2, column: 1))
  #expect(place.panel == 2 && place.row == 0 && place.column == 1)
  #expect(abs(place.xMM - 0.02) < 1e-12 && abs(place.yMM - 0.01) < 1e-12 && abs(place.radiusMM() - 0.02236068) < 1e-6)
  #expect(assembly.location(row: 1, column: 1) == nil)
  #expect(frame.panelImages.map { $0.weight.elements } == [[1, 1, 1], [1, 1, 0], [1, 1, 1]])
}

@Test func everyPanelPixelIsFoundAgainThroughTheCanvas() throws {
  let nodes = Geometry.cspadSensors.enumerated().map {
    Geometry.Node(parent: "CSPAD:V2", object: "SENS2X1:V1", index: $0, x: 1000 * $1.x, y: 1000 * $1.y, rotationZ: $1.rotation)
  }
  let shape: Shape = [32, 185, 388], geometry = Geometry(nodes: nodes)
  let assembly = try Assembly(geometry: geometry, panelShape: shape), positions = try geometry.pixelPositions()
  var seen = 0
  for row in stride(from: 0, to: assembly.height, by: 7) {
    for column in stride(from: 0, to: assembly.width, by: 5) {
      guard let place = assembly.location(row: row, column: column) else { continue }
      seen += 1
      let i = (place.panel * 185 + place.row) * 388 + place.column
      #expect(abs(positions.x.elements[i] / 1000 - place.xMM) < 0.056 && abs(positions.y.elements[i] / 1000 - place.yMM) < 0.056)
    }
  }
  #expect(seen > 50_000)
}

@Suite struct AreaResampling {
  private func image(_ h: Int, _ w: Int, seed: UInt64) -> MaskedImage {
    var random = Philox(seed: seed)
    let weight = (0..<h * w).map { _ in random.uniform() < 0.2 ? Float(0) : 1 }
    return MaskedImage(
      pixels: Tensor([h, w], weight.map { $0 == 0 ? 0 : Float(random.normal(10, 4)) }), weight: Tensor([h, w], weight))
  }

  private func mirrored(_ image: MaskedImage) -> MaskedImage {
    func flip(_ t: Tensor<Float>) -> Tensor<Float> {
      let w = t.shape[1]
      return Tensor(t.shape, t.elements.indices.map { t.elements[$0 / w * w + w - 1 - $0 % w] })
    }
    return MaskedImage(pixels: flip(image.pixels), weight: flip(image.weight))
  }

  @Test(arguments: [(37, 53), (64, 64), (101, 30), (17, 19)], [(16, 16), (9, 11), (40, 70), (17, 19)])
  func commutesWithMirroringBitForBit(_ from: (Int, Int), _ to: (Int, Int)) {
    let source = image(from.0, from.1, seed: 9)
    let a = mirrored(source.resampled(toHeight: to.0, width: to.1)), b = mirrored(source).resampled(toHeight: to.0, width: to.1)
    #expect(a == b)
  }

  @Test(arguments: [(37, 53, 16, 16), (64, 48, 9, 11), (8, 6, 20, 30)])
  func keepsTheMeasuredSum(_ h: Int, _ w: Int, _ newH: Int, _ newW: Int) {
    let source = image(h, w, seed: 2), out = source.resampled(toHeight: newH, width: newW)
    func total(_ i: MaskedImage) -> Double { zip(i.pixels.elements, i.weight.elements).reduce(0) { $0 + Double($1.0 * $1.1) } }
    let area = Double(h * w) / Double(newH * newW)
    #expect(abs(total(out) * area / total(source) - 1) < 1e-5)
    #expect(abs(out.coverage - source.coverage) < 1e-5)
  }

  @Test func averagesByWeightAndLeavesGapsEmpty() {
    let source = MaskedImage(
      pixels: Tensor([2, 4], [2, 4, 0, 0, 6, 0, 0, 0]), weight: Tensor([2, 4], [1, 1, 0, 0, 1, 0, 0, 0]))
    let out = source.resampled(toHeight: 1, width: 2)
    #expect(out.pixels.elements == [4, 0] && out.weight.elements == [0.75, 0])
    let third = MaskedImage(pixels: Tensor([1, 3], [3, 6, 9]), weight: Tensor(repeating: 1, [1, 3])).resampled(toHeight: 1, width: 2)
    #expect(third.pixels.elements == [4, 8])
  }
}
