import Foundation
import Frames
import Tensors

extension CSPADSimulator {
  /// Below this many photons a spot does not count as detectable.
  static let detectablePhotons = 10.0

  /// Reciprocal lattice points of a randomly turned crystal that nearly touch the Ewald sphere, as Gaussian spots.
  /// Returns how many were drawn on sensors and how many of them are detectable.
  func addCrystal(
    _ expected: inout [Float], _ optics: Optics, _ parameters: Parameters, intensity: Double, _ random: inout Philox
  ) -> (spots: Int, detectable: Int) {
    let distance = optics.distance
    let wanted = Int(max(15, exp(random.normal(log(60), 0.6))))
    let rotation = Rotation(&random), k = optics.photonEnergy / 12398.42
    // Reciprocal axes in 1/Å, without 2π; points out to the corner of the detector.
    let corner = 2 * sin(atan(125 / distance) / 2) * k, cell = (79.0, 79.0, 38.0)
    let limits = (Int(corner * cell.0), Int(corner * cell.1), Int(corner * cell.2))
    var candidates: [(x: Double, y: Double, q: Double)] = []
    for h in -limits.0...limits.0 {
      for l in -limits.1...limits.1 {
        for m in -limits.2...limits.2 where h != 0 || l != 0 || m != 0 {
          let g = rotation.applied(Double(h) / cell.0, Double(l) / cell.1, Double(m) / cell.2)
          let length2 = g.0 * g.0 + g.1 * g.1 + g.2 * g.2
          guard length2 < corner * corner else { continue }
          let out = (g.0, g.1, g.2 + k), radius = (out.0 * out.0 + out.1 * out.1 + out.2 * out.2).squareRoot()
          guard abs(radius - k) < 0.0015, out.2 > 0 else { continue }
          candidates.append((out.0 / out.2 * distance, out.1 / out.2 * distance, 2 * .pi * length2.squareRoot()))
        }
      }
    }
    var spots = 0, detectable = 0
    while spots < wanted, !candidates.isEmpty {
      let pick = min(candidates.count - 1, Int(random.uniform() * Double(candidates.count)))
      let spot = candidates.remove(at: pick)
      let debyeWaller = exp(-2 * 20 * pow(spot.q / (4 * .pi), 2))
      let photons = intensity * random.exponential(parameters.spotPhotons) * debyeWaller
      guard addSpot(&expected, spot.x, spot.y, photons, &random) else { continue }
      spots += 1
      if photons >= Self.detectablePhotons { detectable += 1 }
    }
    return (spots, detectable)
  }

  /// A few spots that no lattice explains.
  func addStrays(
    _ expected: inout [Float], _ parameters: Parameters, _ count: Int, intensity: Double, _ random: inout Philox
  ) -> (spots: Int, detectable: Int) {
    var spots = 0, detectable = 0
    for _ in 0..<count {
      let photons = intensity * random.exponential(parameters.spotPhotons)
      guard addSpot(&expected, random.uniform(-90, 90), random.uniform(-90, 90), photons, &random) else { continue }
      spots += 1
      if photons >= Self.detectablePhotons { detectable += 1 }
    }
    return (spots, detectable)
  }

  /// Adds a Gaussian of `photons` at (x, y) mm from the beam; false where no stored sensor lies under its middle.
  private func addSpot(_ expected: inout [Float], _ x: Double, _ y: Double, _ photons: Double, _ random: inout Philox) -> Bool {
    let sigma = random.uniform(0.6, 1.2)
    let row = (x - assembly.originMM.x) / assembly.pixelSizeMM, column = (y - assembly.originMM.y) / assembly.pixelSizeMM
    guard row.isFinite, column.isFinite, abs(row) < 1e5, abs(column) < 1e5 else { return false }
    let middle = (Int(row.rounded()), Int(column.rounded()))
    guard let centre = location(middle.0, middle.1), parameters.roiMask >> UInt32(centre.panel) & 1 == 1 else { return false }
    for r in middle.0 - 4...middle.0 + 4 {
      for c in middle.1 - 4...middle.1 + 4 {
        guard let place = location(r, c) else { continue }
        let d2 = (Double(r) - row) * (Double(r) - row) + (Double(c) - column) * (Double(c) - column)
        let index = (place.panel * CSPAD.rows + place.row) * CSPAD.columns + place.column
        expected[index] += Float(photons * exp(-d2 / (2 * sigma * sigma)) / (2 * .pi * sigma * sigma))
      }
    }
    return true
  }

  private func location(_ row: Int, _ column: Int) -> Assembly.Location? {
    guard (0..<assembly.height).contains(row), (0..<assembly.width).contains(column) else { return nil }
    return assembly.location(row: row, column: column)
  }
}

/// A uniformly random rotation, from a unit quaternion of four normals.
struct Rotation {
  private let rows: [(Double, Double, Double)]

  init(_ random: inout Philox) {
    var q = [0.0, 0, 0, 0], norm = 0.0
    repeat {
      q = (0..<4).map { _ in random.normal() }
      norm = q.reduce(0) { $0 + $1 * $1 }.squareRoot()
    } while norm < 1e-6
    let w = q[0] / norm, x = q[1] / norm, y = q[2] / norm, z = q[3] / norm
    rows = [
      (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
      (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
      (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    ]
  }

  func applied(_ a: Double, _ b: Double, _ c: Double) -> (Double, Double, Double) {
    func dot(_ r: (Double, Double, Double)) -> Double { r.0 * a + r.1 * b + r.2 * c }
    return (dot(rows[0]), dot(rows[1]), dot(rows[2]))
  }
}
