import Foundation
import Frames
import Host
import Tensors
import Testing

/// What `Tests/Peers/write_psana.py` wrote with psana itself; skipped where it was not run.
private enum Psana {
  static let folder = ProcessInfo.processInfo.environment["PSIMAGENET_PSANA"] ?? ""
  static var isPresent: Bool { !folder.isEmpty }
  static let absence = "PSIMAGENET_PSANA names no folder of Tests/Peers/write_psana.py"

  struct Index: Codable {
    struct Case: Codable {
      var number: Int
      var parameters: [Double]
      var shape: [Int]
    }
    var commonMode: [Case]
    var geometries: [String]
  }

  static func index() throws -> Index {
    try JSONDecoder().decode(Index.self, from: AtomicFile.read(folder + "/index.json"))
  }

  static func array(_ name: String) throws -> NPYArray {
    let path = "\(folder)/\(name).npy"
    return try NPYArray(parsing: [UInt8](AtomicFile.read(path)), path: path)
  }

  static func floats(_ name: String) throws -> [Float] { try array(name).bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) } }
  static func doubles(_ name: String) throws -> [Double] { try array(name).bytes.withUnsafeBytes { Array($0.bindMemory(to: Double.self)) } }
}

@Suite(.enabled(if: Psana.isPresent, Comment(rawValue: Psana.absence))) struct PsanaPeerTests {
  @Test func commonModeIsPsanasPixelByPixel() throws {
    var compared = 0
    for item in try Psana.index().commonMode {
      let shape = Shape(item.shape), before = try Psana.floats("common-\(item.number)-before"), after = try Psana.floats("common-\(item.number)-after")
      let good = try Psana.array("common-\(item.number)-mask").bytes
      let constants = CalibrationConstants(
        status: Tensor(shape, good.map { $0 == 0 ? 1 : 0 }), commonMode: .parameters(try CommonModeParameters(item.parameters)))
      let signal = try Opal1000.calibrate(Tensor(shape, before), constants, path: "psana").signal.elements
      let wrong = good.indices.count { good[$0] != 0 && abs(signal[$0] - after[$0]) > 1e-3 }
      #expect(wrong == 0, "\(item.parameters) on \(shape): \(wrong) of \(good.count)")
      #expect(zip(before, after).contains { abs($0 - $1) > 1 }, "\(item.parameters)")
      compared += good.count
    }
    print("common mode: \(compared) pixels compared with psana")
  }

  @Test func pixelsAreWherePsanaPutsThem() throws {
    for name in try Psana.index().geometries {
      let positions = try Geometry(readingFrom: "\(Psana.folder)/\(name).data").pixelPositions(), theirs = try Psana.doubles(name)
      let count = positions.x.elements.count
      #expect(theirs.count == 3 * count, "\(name)")
      guard theirs.count == 3 * count else { continue }
      let farthest = (0..<count).map { hypot(positions.x.elements[$0] - theirs[$0], positions.y.elements[$0] - theirs[count + $0]) }.max() ?? .infinity
      #expect(farthest < 0.01, "\(name): \(farthest) um")
      print("\(name): \(count) pixels within \(farthest) um of psana")
    }
  }
}
