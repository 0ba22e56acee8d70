import Foundation
import Frames
import Tensors

/// The electronics of one run's CSPAD: pedestals, gains, noise and bad pixels, and how they turn photons into counts.
struct CSPADSensors: Sendable {
  /// Per pixel `[32,185,388]`: ADU.
  let pedestal: [Float], noise: [Float]
  /// ADU a photon, with the spread of single pixels; and without, as a flat field of whole ASICs gives it.
  let gain: [Float], knownGain: [Float]
  /// psana's status bits: 1 rms high, 2 rms low, 16 mean high, 32 mean low.
  let status: [UInt8]
  private let isBonded: [Bool]
  /// Of 64, two a sensor; `nil` where all are in high gain.
  let lowGainASIC: Int?
  /// Read noise in low gain, eV.
  private static let lowGainNoise_eV = 3500.0

  init(_ p: CSPADSimulator.Parameters, photonEnergy: Double, random: Philox) {
    var random = random
    let panel = CSPAD.rows * CSPAD.columns, count = 32 * panel
    var pedestal = [Float](repeating: 0, count: count), noise = [Float](repeating: Float(p.noise_ADU), count: count)
    var gain = pedestal, knownGain = pedestal, status = [UInt8](repeating: 0, count: count)
    var draws = PixelDraws(random.keyed("pixels"))
    let nominal = p.gain_ADUPerEV * photonEnergy
    for sensor in 0..<32 {
      let levels = (random.uniform(1000, 1650), random.uniform(1000, 1650)), ramps = (random.uniform(-10, 10), random.uniform(-10, 10))
      let factors = (nominal * (1 + random.normal(0, 0.02)), nominal * (1 + random.normal(0, 0.02)))
      for row in 0..<CSPAD.rows {
        for column in 0..<CSPAD.columns {
          let i = sensor * panel + row * CSPAD.columns + column, isFirst = column < 194
          let along = Float(column % 194) / 97 - 1
          let level = Float(isFirst ? levels.0 : levels.1) + Float(isFirst ? ramps.0 : ramps.1) * along
          // Two decimals, as the calibration file holds it.
          pedestal[i] = ((level + 60 * draws.normal()) * 100).rounded() / 100
          knownGain[i] = Float(isFirst ? factors.0 : factors.1)
          gain[i] = knownGain[i] * (1 + 0.05 * draws.normal())
        }
      }
    }
    for _ in 0..<Int(p.badPixelRate * Double(count)) {
      let i = min(count - 1, Int(random.uniform() * Double(count)))
      switch Int(random.uniform(0, 4)) {
      case 0: (status[i], pedestal[i], gain[i], noise[i]) = (2 | 32, 0, 0, 0)
      case 1: (status[i], pedestal[i]) = (16, pedestal[i] + 2000)
      case 2: (status[i], noise[i]) = (1, noise[i] * 10)
      default: (status[i], gain[i], noise[i]) = (2, 0, 0)
      }
    }
    if random.uniform() < p.deadASICRate {
      let asic = min(63, Int(random.uniform() * 64))
      for row in 0..<CSPAD.rows {
        for column in 0..<194 {
          let i = asic / 2 * panel + row * CSPAD.columns + asic % 2 * 194 + column
          (status[i], pedestal[i], gain[i], noise[i]) = (2 | 32, 0, 0, 0)
        }
      }
    }
    // Drawn behind all else, so that a run without is the same run.
    var lowGain = random.keyed("low gain")
    let lowGainASIC = lowGain.uniform() < p.lowGainRate ? min(63, Int(lowGain.uniform() * 64)) : nil
    if let asic = lowGainASIC {
      let low = Float(Self.lowGainNoise_eV * p.gain_ADUPerEV) / CSPAD.lowGainFactor
      for row in 0..<CSPAD.rows {
        for column in 0..<194 {
          let i = asic / 2 * panel + row * CSPAD.columns + asic % 2 * 194 + column
          gain[i] /= CSPAD.lowGainFactor
          if status[i] == 0 { noise[i] = low }
        }
      }
    }
    self.lowGainASIC = lowGainASIC
    var isBonded = [Bool](repeating: true, count: panel)
    for pixel in CSPAD.nonBondedPixels { isBonded[pixel] = false }
    self.pedestal = pedestal
    self.noise = noise
    self.gain = gain
    self.knownGain = knownGain
    self.status = status
    self.isBonded = isBonded
  }

  /// Expected photons `[32,185,388]` -> counts in ADU: Poisson, charge (1 a photon of the run's energy) shared by a Gaussian cloud of 0.065 px at a uniform place
  /// in the pixel, gain, read noise, common mode of each 2×1, 14 bits. Sections that the run does not store stay 0.
  func expose(_ expected: [Float], _ p: CSPADSimulator.Parameters, charge chargePerPhoton: Float = 1, _ random: Philox) -> (counts: [Int16], photons: Int) {
    let rows = CSPAD.rows, columns = CSPAD.columns, panel = rows * columns, stride = columns + 2
    var counts = [Int16](repeating: 0, count: expected.count), total = 0
    var modes = random.keyed("common mode")
    // A frame of one pixel takes the charge that leaves the sensor.
    var charge = [Float](repeating: 0, count: (rows + 2) * stride)
    var draws = PixelDraws(random)
    let cloud = Self.cloud
    for sensor in 0..<32 {
      let isWide = modes.uniform() < p.wideCommonModeRate
      var common = Float(modes.normal(0, isWide ? 25 : p.commonMode_ADU))
      guard p.roiMask >> UInt32(sensor) & 1 == 1 else { continue }
      for i in charge.indices { charge[i] = 0 }
      for row in 0..<rows {
        let start = sensor * panel + row * columns
        for column in 0..<columns {
          let n = draws.poisson(expected[start + column])
          guard n > 0 else { continue }
          total += n
          let at = (row + 1) * stride + column + 1
          if n <= 8 {
            for _ in 0..<n { Self.share(&charge, at, stride, 1, draws.bits16(), cloud) }
          } else {
            Self.spread(&charge, at, stride, Float(n))
          }
        }
      }
      if isWide, p.crosstalk > 0 {
        var sum = 0.0
        for row in 0..<rows {
          for column in 0..<columns {
            sum += Double(chargePerPhoton * gain[sensor * panel + row * columns + column] * charge[(row + 1) * stride + column + 1])
          }
        }
        common += Float(p.crosstalk * sum)
      }
      for row in 0..<rows {
        let start = sensor * panel + row * columns
        for column in 0..<columns {
          let i = start + column
          let signal = isBonded[row * columns + column] ? chargePerPhoton * gain[i] * charge[(row + 1) * stride + column + 1] : 0
          let value = pedestal[i] + signal + noise[i] * draws.normal() + (noise[i] > 0 ? common : 0)
          counts[i] = Int16(min(16383, max(0, value.rounded())))
        }
      }
    }
    return (counts, total)
  }

  /// The share of a cloud that leaves to the left and to the right of the pixel, by position in 256 steps.
  private static let cloud: [(left: Float, right: Float)] = (0..<256).map { step in
    let at = (Double(step) + 0.5) / 256, sigma = 0.065
    return (Float(Statistics.normalCDF(-at / sigma)), Float(Statistics.normalCDF((at - 1) / sigma)))
  }

  @inline(__always)
  private static func share(
    _ charge: inout [Float], _ at: Int, _ stride: Int, _ amount: Float, _ bits: Int, _ cloud: [(left: Float, right: Float)]
  ) {
    let (left, right) = cloud[bits & 0xFF], (up, down) = cloud[bits >> 8]
    // Of the nine shares at most one neighbour a direction matters.
    let across = left > right ? (-1, left) : (1, right), along = up > down ? (-stride, up) : (stride, down)
    if across.1 < 1e-4, along.1 < 1e-4 {
      charge[at] += amount
      return
    }
    charge[at] += amount * (1 - across.1) * (1 - along.1)
    charge[at + across.0] += amount * across.1 * (1 - along.1)
    charge[at + along.0] += amount * (1 - across.1) * along.1
    charge[at + across.0 + along.0] += amount * across.1 * along.1
  }

  /// The mean sharing of many photons: 2.6 % to each of the four sides (0.065 / √(2π) of the width).
  @inline(__always)
  private static func spread(_ charge: inout [Float], _ at: Int, _ stride: Int, _ amount: Float) {
    let side: Float = 0.026
    charge[at] += amount * (1 - 4 * side)
    charge[at - 1] += amount * side
    charge[at + 1] += amount * side
    charge[at - stride] += amount * side
    charge[at + stride] += amount * side
  }
}
