import Foundation
import Frames
import Host
import Tensors

/// The X-band transverse deflecting cavity: the streaked electron bunch after the undulator, columns time, rows energy
/// (rising with the row). Slices that lase lose energy and gain spread: fingers towards lower energy.
///
/// Beam numbers follow LCLS runs (amo86815); resolution, chirp spread and the cap of the loss are assumed. Charge is conserved: lasing moves light on the
/// screen and adds none, so that brightness is no label.
public struct XTCAVSimulator: ShotSimulator {
  public struct Parameters: ShotParameters, Codable, Hashable, Sendable {
    public var width = 512
    public var height = 512
    /// Share of beam shots that lase.
    public var lasingRate = 0.5
    /// X-ray pulse energy of a lasing bunch, mJ, log-uniform; lowered where the loss of a slice reaches its cap.
    public var pulseEnergy_mJ: ClosedRange<Double> = 0.01...2
    /// 1, or 2 for two bunches 45 MeV apart.
    public var bunches = 1
    /// Beam shots without a bunch on the screen.
    public var emptyRate = 0.025
    /// Beam shots that are off towards the border.
    public var croppedRate = 0.025
    /// Shots so bright that pixels saturate.
    public var saturatedRate = 0.01
    /// Time a column, fs.
    public var scale_fsPerPx = 0.8
    /// Energy a row, MeV.
    public var scale_MeVPerPx = 0.2
    /// Brightest pixel of a typical lasing-off shot above the background, ADU.
    public var peak_ADU: ClosedRange<Double> = 1200...1800
    /// Bunch charge of the run, nC.
    public var charge_nC: ClosedRange<Double> = 0.15...0.30
    /// Electron energy of the run, MeV.
    public var energy_MeV: ClosedRange<Double> = 3300...3500
    /// Most that a slice can lose on average, MeV, drawn a run; fingers reach about twice as deep.
    public var lossCap_MeV: ClosedRange<Double> = 8...16
    /// Length of a bunch, fs.
    public var length_fs: ClosedRange<Double> = 50...110
    /// Of the second bunch after the first, fs.
    public var separation_fs: ClosedRange<Double> = -50...50
    public var profile = Profile.drawn
    /// The energy spread of a slice without lasing, MeV rms; a laser heater widens it.
    public var sliceSpread_MeV = 1.2
    /// Where in the bunch lasing happens: its middle from the bunch's middle, and its whole width, in bunch lengths.
    public var lasingCentre: ClosedRange<Double> = -0.25...0.25
    public var lasingWidth: ClosedRange<Double> = 0.2...0.8
    /// Which bunches lase: bit 0 the first, bit 1 the second; by chance where absent.
    public var lasingClass: Int?
    /// Energy over time, MeV/fs and MeV/fs²; once a run near −0.15 and 0 where absent.
    public var chirp_MeVPerFs: ClosedRange<Double>?
    public var curvature_MeVPerFs2: ClosedRange<Double>?

    /// How the current runs along the bunch: a flat core, horns at both ends, or a ramp towards the tail.
    public enum Profile: String, Codable, Hashable, Sendable, CaseIterable { case drawn, flat, horns, ramp }

    static let shotKeys: Set<String> = [
      "lasingRate", "pulseEnergy_mJ", "bunches", "emptyRate", "croppedRate", "saturatedRate", "length_fs", "separation_fs", "profile",
      "sliceSpread_MeV", "lasingCentre", "lasingWidth", "lasingClass", "chirp_MeVPerFs", "curvature_MeVPerFs2",
    ]

    public init() {}

    var fault: ParameterFault? {
      if !(64...4096).contains(width) || !(64...4096).contains(height) {
        return ("width, height", "64...4096", "\(width) × \(height)")
      }
      if !(1...2).contains(bunches) { return ("bunches", "1 or 2", "\(bunches)") }
      if let lasingClass, !(0..<1 << bunches).contains(lasingClass) {
        return ("lasingClass", "0 to \((1 << bunches) - 1) for \(bunches) bunches", "\(lasingClass)")
      }
      let chirp = chirp_MeVPerFs ?? 0...0, curvature = curvature_MeVPerFs2 ?? 0...0
      return rateFault(
        ["lasingRate": lasingRate, "emptyRate": emptyRate, "croppedRate": croppedRate, "saturatedRate": saturatedRate])
        ?? spanFault([
          "pulseEnergy_mJ": (pulseEnergy_mJ, 1e-6...100), "peak_ADU": (peak_ADU, 1...1e5), "charge_nC": (charge_nC, 1e-3...10),
          "energy_MeV": (energy_MeV, 1...1e5), "lossCap_MeV": (lossCap_MeV, 0.1...100),
          "scale_fsPerPx": (single(scale_fsPerPx), 0.05...10), "scale_MeVPerPx": (single(scale_MeVPerPx), 0.02...10),
          "length_fs": (length_fs, 5...1000), "separation_fs": (separation_fs, -1000...1000), "sliceSpread_MeV": (single(sliceSpread_MeV), 0.05...50),
          "lasingCentre": (lasingCentre, -0.5...0.5), "lasingWidth": (lasingWidth, 0.01...2),
          "chirp_MeVPerFs": (chirp, -10...10), "curvature_MeVPerFs2": (curvature, -1...1),
        ])
    }
  }

  /// One bunch on the column grid: its current and what each slice lost.
  public struct Bunch: Sendable, Hashable {
    /// kA a column.
    public var current: [Double]
    /// Mean energy lost by lasing, MeV a column.
    public var loss: [Double]
    /// Mean energy without lasing relative to that of the reference row, MeV a column.
    public var energy: [Double]

    /// Pulse energy in mJ: Σ current·loss·dt, as 1 kA · 1 MeV · 1 fs = 1 µJ.
    public func pulseEnergyMJ(stepFS: Double) -> Double { zip(current, loss).reduce(0) { $0 + $1.0 * $1.1 } * stepFS * 1e-3 }
    /// Σ current·dt, nC.
    public func chargeNC(stepFS: Double) -> Double { current.reduce(0, +) * stepFS * 1e-3 }

    /// The same bunch with its lasing suppressed.
    public var withoutLasing: Bunch { Bunch(current: current, loss: loss.map { _ in 0 }, energy: energy) }
  }

  static let columns = [
    "lasing", "lasing_class", "empty", "cropped", "saturated", "pulse_energy_mJ", "mean_loss_MeV", "peak_loss_MeV", "dump_charge_nC",
    "bunch_length_fs", "chirp_MeV_per_fs", "time_offset_px", "energy_offset_px", "energy_L3_MeV", "scale_fs_per_px", "scale_MeV_per_px",
  ]

  let source = XTC1Source.xtcav
  let configuration: [XTC1Record]
  private let parameters: Parameters
  private let lasingRate: Double
  private let charge: Double, dumpShare: Double, energy: Double, phase: Double
  private let chirp: (Double, Double, Double), resolutionFS: Double, lossCap: Double
  /// ADU for a pixel that holds the whole charge of 0.15 nC.
  private let gain: Double
  private let pedestal: [Float]
  private static let energyResolution = 0.3

  public init(_ parameters: Parameters, lasingRate: Double, random: Philox) {
    self.parameters = parameters
    self.lasingRate = lasingRate
    var random = random
    func draw(_ range: ClosedRange<Double>) -> Double { random.uniform(range.lowerBound, range.upperBound) }
    charge = draw(parameters.charge_nC)
    dumpShare = random.uniform(0.58, 0.79)
    energy = draw(parameters.energy_MeV)
    phase = random.normal(90, 1)
    chirp = (random.normal(-0.15, 0.05), random.normal(0, 1.2e-3), random.normal(0, 8e-6))
    resolutionFS = random.uniform(1.0, 1.5)
    lossCap = draw(parameters.lossCap_MeV)
    // A flat bunch of 80 fs and the usual slice width has its brightest pixel at this share of its light.
    let width = (parameters.sliceSpread_MeV * parameters.sliceSpread_MeV + Self.energyResolution * Self.energyResolution).squareRoot()
    let typical = parameters.scale_fsPerPx / 80 * parameters.scale_MeVPerPx / (width * (2 * Double.pi).squareRoot())
    gain = draw(parameters.peak_ADU) / typical / (charge * dumpShare)
    let glow = random.uniform(2, 10), tilt = (random.normal(0, 2), random.normal(0, 2))
    let spot = (random.uniform(0.2, 0.8), random.uniform(0.2, 0.8), random.uniform(0.15, 0.3))
    var pedestal = [Float](repeating: 0, count: parameters.width * parameters.height)
    for row in 0..<parameters.height {
      for column in 0..<parameters.width {
        let u = Double(column) / Double(parameters.width), v = Double(row) / Double(parameters.height)
        let d = ((u - spot.0) * (u - spot.0) + (v - spot.1) * (v - spot.1)) / (spot.2 * spot.2)
        pedestal[row * parameters.width + column] = Float(32 + tilt.0 * (u - 0.5) + tilt.1 * (v - 0.5) + glow * exp(-d / 2))
      }
    }
    self.pedestal = pedestal
    configuration = [.opalConfiguration(source)]
  }

  func shot(hasBeam: Bool, fiducial: UInt32, position: Double, condition: Parameters?, random: Philox) -> SimulatedShot {
    let drawn = draw(hasBeam: hasBeam, condition: condition, random: random)
    var rest = random.keyed("beam line")
    let brightness = drawn.isSaturated ? 4.0 : 1.0
    let image = drawn.bunches.isEmpty ? [] : Self.image(of: drawn.bunches, condition ?? parameters, resolutionFS: resolutionFS)
    let pixels = expose(image, scale: gain * brightness, PixelDraws(random.keyed("pixels")))
    var beamline = BeamlineRecord(pulseEnergyMJ: drawn.pulseEnergyMJ)
    beamline.beam = .typical(&rest, energyMeV: energy)
    beamline.beam.l3Energy_MeV = drawn.energyMeV
    beamline.beam.charge_nC = drawn.chargeNC / dumpShare
    beamline.beam.dumpCharge_electrons = drawn.chargeNC * 1e-9 / 1.602e-19 * (1 + rest.normal(0, 0.02))
    beamline.beam.xtcavPhase_deg = phase + rest.normal(0, 0.1)
    beamline.eventCodes = [hasBeam ? 140 : 162]
    let p = parameters
    let leaves =
      [.frame(source, width: p.width, height: p.height, depth: 12, offset: 32, pixels)] + beamline.leaves(&rest)
    let loss = drawn.chargeNC > 0 ? drawn.pulseEnergyMJ / drawn.chargeNC : 0
    let peak = drawn.bunches.flatMap(\.loss).max() ?? 0
    return SimulatedShot(
      leaves: leaves, hasBeam: hasBeam,
      truth: [
        text(drawn.lasingClass != 0), text(drawn.lasingClass), text(drawn.bunches.isEmpty), text(drawn.isCropped),
        text(drawn.isSaturated), text(drawn.pulseEnergyMJ), text(loss), text(peak), text(drawn.chargeNC), text(drawn.lengthFS),
        text(drawn.chirp), text(drawn.timePX), text(drawn.energyPX), text(drawn.energyMeV), text(p.scale_fsPerPx), text(p.scale_MeVPerPx),
      ])
  }

  /// Everything about a shot but its camera noise.
  public struct Drawn: Sendable {
    public var bunches: [Bunch] = []
    /// Bit 0: the first bunch lases, bit 1: the second.
    public var lasingClass = 0
    public var isCropped = false, isSaturated = false
    public var pulseEnergyMJ = 0.0, chargeNC = 0.0, lengthFS = 0.0, chirp = 0.0, curvature = 0.0, timePX = 0.0, energyPX = 0.0, energyMeV = 0.0
  }

  /// The truth of a shot, before the camera; `condition` as in `shot`.
  public func draw(hasBeam: Bool, condition: Parameters? = nil, random: Philox) -> Drawn {
    var random = random, drawn = Drawn(), own = random.keyed("condition")
    let p = condition ?? parameters, lasingRate = condition?.lasingRate ?? lasingRate
    drawn.energyMeV = random.normal(energy, 7)
    let isEmpty = random.uniform() <= p.emptyRate
    drawn.isCropped = random.uniform() <= p.croppedRate
    drawn.isSaturated = random.uniform() <= p.saturatedRate && hasBeam && !isEmpty
    drawn.chargeNC = hasBeam ? charge * dumpShare * (1 + random.normal(0, 0.013)) : 0
    drawn.lengthFS = random.uniform(p.length_fs.lowerBound, p.length_fs.upperBound)
    drawn.chirp = (p.chirp_MeVPerFs.map { own.uniform($0.lowerBound, $0.upperBound) } ?? chirp.0) + random.normal(0, 0.02)
    drawn.curvature = p.curvature_MeVPerFs2.map { own.uniform($0.lowerBound, $0.upperBound) } ?? chirp.1
    drawn.timePX = random.uniform(-40, 40) + (drawn.isCropped ? (random.uniform() < 0.5 ? -0.45 : 0.45) * Double(p.width) : 0)
    drawn.energyPX = (drawn.energyMeV - energy) / p.scale_MeVPerPx * 0.8 + random.normal(0, 8)
    guard hasBeam, !isEmpty else {
      drawn.isCropped = false
      return drawn
    }
    let apart = p.bunches == 2 ? random.uniform(p.separation_fs.lowerBound, p.separation_fs.upperBound) : 0
    for index in 0..<p.bunches {
      let byChance = random.uniform() <= lasingRate, lases = p.lasingClass.map { $0 >> index & 1 == 1 } ?? byChance
      let bunch = makeBunch(
        drawn, p, shiftFS: Double(index) * apart, shiftMeV: Double(index) * -45 + (p.bunches == 2 ? 22 : 0),
        charge: drawn.chargeNC / Double(p.bunches), lases: lases, &random)
      drawn.bunches.append(bunch)
      let energy = bunch.pulseEnergyMJ(stepFS: p.scale_fsPerPx)
      drawn.pulseEnergyMJ += energy
      if energy > 0 { drawn.lasingClass |= 1 << index }
    }
    return drawn
  }

  /// Samples of a fine grid a column.
  private static let fine = 4

  private func makeBunch(
    _ drawn: Drawn, _ p: Parameters, shiftFS: Double, shiftMeV: Double, charge: Double, lases: Bool, _ random: inout Philox
  ) -> Bunch {
    let step = p.scale_fsPerPx / Double(Self.fine), count = p.width * Self.fine
    let middle = (Double(p.width) / 2 + drawn.timePX) * p.scale_fsPerPx + shiftFS, half = drawn.lengthFS / 2
    var horns = (random.uniform(0.2, 0.9), random.uniform(0.2, 0.9)), tilt = random.normal(0, 0.15)
    switch p.profile {
    case .drawn: break
    case .flat: (horns, tilt) = ((0, 0), tilt / 3)
    // Horns of two to three times the core.
    case .horns: (horns, tilt) = ((horns.0 + 1.6, horns.1 + 1.6), tilt / 3)
    case .ramp: (horns, tilt) = ((0, 0), 0.8 + tilt / 3)
    }
    var current = (0..<count).map { index -> Double in
      let t = (Double(index) + 0.5) * step - middle
      let core = 0.25 * (1 + tanh((t + half) / 3)) * (1 - tanh((t - half) / 3)) * max(0.1, 1 + tilt * t / half)
      let head = horns.0 * exp(-(t + half - 6) * (t + half - 6) / 50), tail = horns.1 * exp(-(t - half + 6) * (t - half + 6) / 50)
      return core + 0.5 * (head + tail)
    }
    let area = current.reduce(0, +) * step
    if area > 0 { for i in current.indices { current[i] *= charge * 1000 / area } }

    var loss = [Double](repeating: 0, count: count)
    let wanted = random.logUniform(p.pulseEnergy_mJ.lowerBound, p.pulseEnergy_mJ.upperBound)
    let coherence = random.uniform(0.5, 0.8), window = random.uniform(p.lasingWidth.lowerBound, p.lasingWidth.upperBound) * drawn.lengthFS / 2
    let centre = random.uniform(p.lasingCentre.lowerBound, p.lasingCentre.upperBound) * drawn.lengthFS
    if lases {
      var noise = random.keyed("SASE")
      let power = Self.spikes(count, sigma: coherence / 2.355 / step, &noise)
      // SASE power in a window; P = loss · I, so the loss is the power without the current's factor.
      for i in loss.indices {
        let u = ((Double(i) + 0.5) * step - middle - centre) / window
        loss[i] = power[i] * exp(-pow(u, 4))
      }
      let sum = zip(loss, current).reduce(0) { $0 + $1.0 * $1.1 } * step * 1e-3
      if sum > 0 { for i in loss.indices { loss[i] = min(lossCap, loss[i] * wanted / sum) } }
    }
    var bunch = Bunch(current: [], loss: [], energy: [])
    for column in 0..<p.width {
      let cells = column * Self.fine..<(column + 1) * Self.fine
      let sum = cells.reduce(0) { $0 + current[$1] }
      bunch.current.append(sum / Double(Self.fine))
      bunch.loss.append(sum > 0 ? cells.reduce(0) { $0 + current[$1] * loss[$1] } / sum : 0)
      let t = (Double(column) + 0.5) * p.scale_fsPerPx - middle
      bunch.energy.append(
        shiftMeV + drawn.energyPX * p.scale_MeVPerPx + drawn.chirp * t + drawn.curvature * t * t + chirp.2 * t * t * t)
    }
    return bunch
  }

  /// |complex normal noise smoothed to `sigma` samples|², mean about 1.
  private static func spikes(_ count: Int, sigma: Double, _ random: inout Philox) -> [Double] {
    let reach = max(1, Int((4 * sigma).rounded(.up)))
    let kernel = (-reach...reach).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    let norm = kernel.reduce(0) { $0 + $1 * $1 }
    let real = (0..<count + 2 * reach).map { _ in random.normal() }, imaginary = (0..<count + 2 * reach).map { _ in random.normal() }
    return (0..<count).map { i in
      var a = 0.0, b = 0.0
      for (k, weight) in kernel.enumerated() {
        a += weight * real[i + k]
        b += weight * imaginary[i + k]
      }
      return (a * a + b * b) / (2 * norm)
    }
  }

  /// The charge that falls on each pixel, nC, `[height, width]`, without noise: every slice is a Gaussian convolved with an
  /// exponential tail of mean `loss` towards lower energy, then blurred in time.
  public static func image(of bunches: [Bunch], _ parameters: Parameters, resolutionFS: Double) -> [Float] {
    let width = parameters.width, height = parameters.height
    var image = [Float](repeating: 0, count: width * height)
    let sigma = (parameters.sliceSpread_MeV * parameters.sliceSpread_MeV + energyResolution * energyResolution).squareRoot()
    for bunch in bunches {
      let brightest = bunch.current.max() ?? 0
      for column in 0..<width where bunch.current[column] > 1e-4 * brightest {
        let loss = bunch.loss[column], top = bunch.energy[column]
        let charge = bunch.current[column] * parameters.scale_fsPerPx * 1e-3
        let middle = referenceRow(height)
        let low = Int(((top - 12 * loss - 5 * sigma) / parameters.scale_MeVPerPx + middle).rounded(.down))
        let high = Int(((top + 5 * sigma) / parameters.scale_MeVPerPx + middle).rounded(.up))
        var below = distribution((Double(low) - middle) * parameters.scale_MeVPerPx - top, sigma, loss)
        guard low <= high else { continue }
        for row in low...high {
          let above = distribution((Double(row + 1) - middle) * parameters.scale_MeVPerPx - top, sigma, loss)
          if row >= 0, row < height { image[row * width + column] += Float(charge * (above - below)) }
          below = above
        }
      }
    }
    return blurred(image, width, sigma: resolutionFS / parameters.scale_fsPerPx)
  }

  /// The row of the run's mean energy: above the middle, so that the tails of lasing bunches stay in view.
  private static func referenceRow(_ height: Int) -> Double { 0.65 * Double(height) }

  /// P(X <= x) for X = N(0, sigma) - Exp(mean).
  private static func distribution(_ x: Double, _ sigma: Double, _ mean: Double) -> Double {
    let normal = 0.5 * erfc(-x / (sigma * 2.0.squareRoot()))
    guard mean > 0.02 * sigma else { return normal }
    // erfc falls faster than exp grows; beyond this the product is below Float's reach.
    let tail = (x + sigma * sigma / mean) / (sigma * 2.0.squareRoot())
    let exponent = x / mean + sigma * sigma / (2 * mean * mean)
    guard tail < 25, exponent < 600 else { return normal }
    return min(1, normal + 0.5 * erfc(tail) * exp(exponent))
  }

  /// A Gaussian along the rows.
  private static func blurred(_ image: [Float], _ width: Int, sigma: Double) -> [Float] {
    let reach = max(1, Int((3.5 * sigma).rounded(.up)))
    var kernel = (-reach...reach).map { Float(exp(-Double($0 * $0) / (2 * sigma * sigma))) }
    let norm = kernel.reduce(0, +)
    for i in kernel.indices { kernel[i] /= norm }
    var out = [Float](repeating: 0, count: image.count)
    for start in stride(from: 0, to: image.count, by: width) {
      for column in 0..<width {
        let value = image[start + column]
        guard value != 0 else { continue }
        for k in max(0, column - reach)...min(width - 1, column + reach) { out[start + k] += value * kernel[k - column + reach] }
      }
    }
    return out
  }

  /// 8 electrons an ADU, read noise 3 ADU, 12 bits.
  private func expose(_ image: [Float], scale: Double, _ draws: PixelDraws) -> [UInt16] {
    var draws = draws
    let scale = Float(scale)
    var pixels = [UInt16](repeating: 0, count: pedestal.count)
    for i in pixels.indices {
      let signal = image.isEmpty ? 0 : image[i] * scale
      let value = pedestal[i] + signal + (signal * 0.125 + 9).squareRoot() * draws.normal()
      pixels[i] = UInt16(min(4095, max(0, value.rounded())))
    }
    return pixels
  }

  func writeCalibration(to folder: CalibrationFolder, experiment: String, run: Int) throws(InputError) -> [String] {
    let shape: Shape = [1, parameters.height, parameters.width]
    return [
      try folder.write(
        Tensor(shape, pedestal), kind: .pedestals, source: source.name, experiment: experiment, first: run, last: run),
      try folder.write(
        Tensor(repeating: 0, shape), kind: .status, source: source.name, experiment: experiment, first: run, last: run),
    ]
  }
}
