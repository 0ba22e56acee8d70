import Foundation
import Frames
import Host
import Tensors

/// A spatial or spectral time tool: a laser stripe on an Opal, in which an X-ray pulse makes a falling step.
///
/// Stripe, etalon fringes and window follow real XPP and SXR frames; step depth, arrival jitter and drift are assumed.
public struct TimeToolSimulator: ShotSimulator {
  /// Columns are pixels of the 1024-column camera; every range is drawn from once a run.
  public struct Parameters: ShotParameters, Codable, Hashable, Sendable {
    public var width = 1024
    /// Rows; 1024 for the whole camera, 452 for a usual crop.
    public var height = 452
    /// Share of shots with the beam kicked (event code 162): a stripe without an edge. `darksPerRun` come on top.
    public var referenceRate = 0.10
    /// Share of shots without the laser: no stripe.
    public var noLaserRate = 0.02
    /// Share of signal shots with a second, weaker edge.
    public var secondEdgeRate = 0.05
    /// Step depth at the mean pulse energy, share of the transmission.
    public var depth: ClosedRange<Double> = 0.03...0.3
    /// Rise width of the step, px.
    public var rise_px: ClosedRange<Double> = 10...40
    /// Shot-to-shot arrival jitter, px rms.
    public var jitter_px = 120.0
    /// Peak of the stripe above the offset, ADU.
    public var peak_ADU: ClosedRange<Double> = 500...1500
    /// Time axis, fs a pixel.
    public var scale_fsPerPx: ClosedRange<Double> = 1...3
    /// The step rises instead of falling (reflection).
    public var isRising = false
    /// Contrast of the etalon's fringes.
    public var etalon: ClosedRange<Double> = 0...0.06
    /// Light of the laser relative to the run's.
    public var exposure: ClosedRange<Double> = 1...1
    /// Where the step is, share of the width, and the stripe, share of the height, drawn for each shot; where absent, the
    /// step jitters around the run's place and the stripe keeps the run's row.
    public var arrival: ClosedRange<Double>?
    public var pointing: ClosedRange<Double>?

    /// In a condition `depth` is the shot's own: the pulse energy follows from it.
    static let shotKeys: Set<String> = [
      "referenceRate", "noLaserRate", "secondEdgeRate", "depth", "rise_px", "isRising", "etalon", "exposure", "arrival", "pointing",
    ]

    public init() {}

    var fault: ParameterFault? {
      if !(64...4096).contains(width) || !(16...4096).contains(height) {
        return ("width, height", "64...4096 × 16...4096", "\(width) × \(height)")
      }
      let edge = arrival ?? 0.5...0.5, row = pointing ?? 0.5...0.5
      return rateFault(["referenceRate": referenceRate, "noLaserRate": noLaserRate, "secondEdgeRate": secondEdgeRate])
        ?? spanFault([
          "depth": (depth, 0...1), "rise_px": (rise_px, 0.1...1000), "peak_ADU": (peak_ADU, 1...1e5),
          "scale_fsPerPx": (scale_fsPerPx, 1e-3...1000), "jitter_px": (single(jitter_px), 0...2000),
          "etalon": (etalon, 0...0.9), "exposure": (exposure, 0.001...100), "arrival": (edge, 0...1), "pointing": (row, 0...1),
        ])
    }
  }

  static let columns = [
    "state", "edge_present", "edge_px", "edge_fs", "edge_depth", "rise_px", "two_edges", "second_edge_px", "pulse_energy_mJ",
    "scale_fs_per_px", "etalon_period_px", "stripe_row_px",
  ]

  let source = XTC1Source.timeTool
  let configuration: [XTC1Record]
  private let parameters: Parameters
  private let edgeRate: Double
  /// ADU above the offset of the undisturbed stripe, `[height, width]`, and what it is made of along the columns: peak and σ in rows.
  private let stripe: [Float]
  private let envelope: [Float], stripeSigma: [Float]
  private let centre: Double, drift: Double, depth: Double, rise: Double, scale: Double, curvature: Double
  private let etalonPeriod: Double, etalonAmplitude: Double, etalonPhase: Double, stripeRow: Double
  private static let offset: Float = 32

  init(_ parameters: Parameters, edgeRate: Double, random: Philox) {
    self.parameters = parameters
    self.edgeRate = edgeRate
    var random = random
    let width = parameters.width, height = parameters.height
    func draw(_ range: ClosedRange<Double>) -> Double { random.uniform(range.lowerBound, range.upperBound) }
    stripeRow = height == 1024 ? random.uniform(330, 720) : Double(height) * random.uniform(0.35, 0.75)
    let peak = draw(parameters.peak_ADU), middle = random.uniform(450, 600) * Double(width) / 1024
    let spread = random.uniform(300, 500) * Double(width) / 1024
    etalonPeriod = random.uniform(35, 60)
    etalonAmplitude = draw(parameters.etalon)
    etalonPhase = random.uniform(0, 2 * .pi)
    scale = draw(parameters.scale_fsPerPx)
    curvature = random.uniform(-1e-4, 1e-4)
    rise = draw(parameters.rise_px)
    depth = draw(parameters.depth)
    centre = Double(width) * random.uniform(0.42, 0.58)
    drift = random.normal(0, 40)
    stripeSigma = (0..<width).map { Float(9 + 14 * exp(-Double($0) / 250)) }
    envelope = (0..<width).map { Float(peak * exp(-(Double($0) - middle) * (Double($0) - middle) / (2 * spread * spread))) }
    stripe = Self.stripe(envelope, stripeSigma, row: stripeRow, height: height)
    configuration = [.opalConfiguration(source)]
  }

  private static func stripe(_ envelope: [Float], _ sigma: [Float], row middle: Double, height: Int) -> [Float] {
    let width = envelope.count
    var stripe = [Float](repeating: 0, count: width * height)
    for row in 0..<height {
      for column in 0..<width {
        let y = (Float(row) - Float(middle)) / sigma[column]
        stripe[row * width + column] = envelope[column] * exp(-y * y / 2)
      }
    }
    return stripe
  }

  func shot(hasBeam: Bool, fiducial: UInt32, position: Double, condition: Parameters?, random: Philox) -> SimulatedShot {
    var random = random, own = random.keyed("condition")
    let p = condition ?? parameters, width = p.width, edgeRate = condition.map { 1 - $0.referenceRate } ?? edgeRate
    // What a condition draws for the shot, a run has drawn once.
    func settled(_ range: ClosedRange<Double>, _ ofRun: Double) -> Double {
      condition == nil ? ofRun : own.uniform(range.lowerBound, range.upperBound)
    }
    let depth = settled(p.depth, depth), rise = settled(p.rise_px, rise), etalonAmplitude = settled(p.etalon, etalonAmplitude)
    let exposure = own.uniform(p.exposure.lowerBound, p.exposure.upperBound)
    let stripeRow = p.pointing.map { own.uniform($0.lowerBound, $0.upperBound) * Double(p.height) } ?? stripeRow
    let arrival = p.arrival.map { own.uniform($0.lowerBound, $0.upperBound) * Double(width) }
    let stripe = p.pointing == nil ? stripe : Self.stripe(envelope, stripeSigma, row: stripeRow, height: p.height)
    let hasLaser = random.uniform() >= p.noLaserRate
    let pulse = hasBeam ? random.gamma(shape: 8, scale: 1.0 / 8) : 0
    let hasEdge = hasBeam && hasLaser && random.uniform() <= edgeRate
    let second = random.uniform() <= p.secondEdgeRate && hasEdge
    var edge = 0.0
    repeat { edge = centre + drift * position + random.normal(0, p.jitter_px) } while !(0.06 * Double(width)..<0.94 * Double(width)).contains(edge)
    if let arrival { edge = arrival }
    let apart = random.uniform(120, 300) * (edge < Double(width) / 2 ? 1 : -1)
    let amplitude = condition == nil ? min(0.6, depth * max(pulse, 0.1)) : depth
    let intensity = exposure * max(0, 1 + random.normal(0, 0.05)), phase = etalonPhase + random.normal(0, 0.1)

    var column = [Float](repeating: 0, count: width)
    for x in 0..<width where hasLaser {
      let at = Double(x), window = exp(-(at - 520) * (at - 520) / (2 * 220 * 220))
      var value = intensity * (1 + etalonAmplitude * window * sin(2 * .pi * at / etalonPeriod + phase))
      if hasEdge { value *= Self.step(at, edge, amplitude, rise: rise, isRising: p.isRising) }
      if second { value *= Self.step(at, edge + apart, amplitude / 2, rise: rise, isRising: p.isRising) }
      column[x] = Float(value)
    }
    let pixels = Self.expose(stripe, column, PixelDraws(random.keyed("pixels")))

    // A condition's depth stands for the pulse that makes it: 0.3 at the mean pulse energy of 2 mJ.
    var beamline = BeamlineRecord(pulseEnergyMJ: !hasEdge ? 0 : condition == nil ? 2 * pulse : 2 * depth / 0.3)
    beamline.beam = .typical(&random, energyMeV: 3400)
    // 162: beam kicked. A reference shot has no X-rays on the target; 90 laser on, 91 laser off.
    let isLit = hasEdge || (hasBeam && !hasLaser)
    beamline.eventCodes = [isLit ? 140 : 162, hasLaser ? 90 : 91]
    let leaves =
      [.frame(source, width: width, height: p.height, depth: 12, offset: UInt32(Self.offset), pixels)] + beamline.leaves(&random)
    let fs = scale * (edge - Double(width) / 2) + curvature * (edge - Double(width) / 2) * (edge - Double(width) / 2)
    let state = !hasLaser ? "dark" : hasEdge ? "signal" : "reference"
    return SimulatedShot(
      leaves: leaves, hasBeam: isLit,
      truth: [
        state, text(hasEdge), hasEdge ? text(edge) : "nan", hasEdge ? text(fs) : "nan", text(hasEdge ? amplitude : 0), text(rise),
        text(second), second ? text(edge + apart) : "nan", text(beamline.pulseEnergyMJ), text(scale), text(etalonPeriod), text(stripeRow),
      ])
  }

  /// Transmission: 1 before the step, 1 - A after it, recovering over 1500 px.
  private static func step(_ x: Double, _ edge: Double, _ amplitude: Double, rise: Double, isRising: Bool) -> Double {
    let change = amplitude * 0.5 * (1 + erf((x - edge) / rise)) * exp(-max(x - edge, 0) / 1500)
    return isRising ? 1 + change : 1 - change
  }

  /// Shot noise of 5 electrons an ADU (normal, good where it exceeds the read noise), read noise 1.5 ADU, 12 bits.
  private static func expose(_ stripe: [Float], _ column: [Float], _ draws: PixelDraws) -> [UInt16] {
    var draws = draws
    let width = column.count
    var pixels = [UInt16](repeating: 0, count: stripe.count)
    for start in stride(from: 0, to: stripe.count, by: width) {
      for x in 0..<width {
        let signal = stripe[start + x] * column[x]
        let value = offset + signal + (signal * 0.2 + 2.25).squareRoot() * draws.normal()
        pixels[start + x] = UInt16(min(4095, max(0, value.rounded())))
      }
    }
    return pixels
  }

  func writeCalibration(to folder: CalibrationFolder, experiment: String, run: Int) throws(InputError) -> [String] {
    let shape: Shape = [1, parameters.height, parameters.width]
    return [
      try folder.write(
        Tensor(repeating: Self.offset, shape), kind: .pedestals, source: source.name, experiment: experiment, first: run, last: run),
      try folder.write(
        Tensor(repeating: 0, shape), kind: .status, source: source.name, experiment: experiment, first: run, last: run),
    ]
  }
}

extension EBeam {
  /// Bunch numbers that do not depend on any label. Values: amo86815 run 70.
  static func typical(_ random: inout Philox, energyMeV: Double) -> EBeam {
    var beam = EBeam()
    beam.charge_nC = random.normal(0.25, 0.003)
    beam.l3Energy_MeV = random.normal(energyMeV, 7)
    beam.pkCurrBC2_A = random.normal(1350, 66)
    beam.xtcavAmpl_MV = random.normal(30, 0.04)
    beam.xtcavPhase_deg = random.normal(90, 0.1)
    beam.dumpCharge_electrons = 0.68 * beam.charge_nC * 1e-9 / 1.602e-19 * (1 + random.normal(0, 0.02))
    return beam
  }
}
