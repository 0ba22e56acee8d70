import Foundation
import Frames
import Host
import Tensors

/// A CSPAD behind a liquid jet: water ring, beam-stop, jet streak, small-angle scattering, ice, and crystals that hit.
///
/// Numbers are those of real CSPAD runs (cxitut13: gain, noise, ring and histogram shapes) where known, else assumed: bad-pixel share,
/// common mode, pedestal spread, streak and ice. Crystal: tetragonal lysozyme, 79 × 79 × 38 Å.
public struct CSPADSimulator: ShotSimulator {
  public struct Parameters: ShotParameters, Codable, Hashable, Sendable {
    /// Stored sections, 8 bits a quad.
    public var roiMask: UInt32 = .max
    /// Share of beam shots that a crystal diffracts.
    public var hitRate = 0.2
    /// Photon energy of the run, eV.
    public var photonEnergy_eV: ClosedRange<Double> = 8000...9500
    /// Sample to detector, mm.
    public var distance_mm: ClosedRange<Double> = 80...500
    /// Beam centre relative to the middle of the sensors, mm, uniform in x and y.
    public var centreOffset_mm = 2.0
    /// Expected photons a pixel at the top of the water ring at the mean pulse energy, log-uniform a run.
    public var ringPhotons: ClosedRange<Double> = 0.05...2.5
    /// Mean photons of a Bragg spot.
    public var spotPhotons = 150.0
    /// Mean pulse energy, mJ; shots follow a gamma law of shape 8 (SASE).
    public var pulseEnergy_mJ = 3.0
    /// Shots without a jet: no water, no hit.
    public var noJetRate = 0.05
    public var streakRate = 0.3
    public var iceRate = 0.05
    /// Silver behenate instead of a sample.
    public var calibrantRate = 0.0
    /// Runs whose detector stands partly in a shadow.
    public var shadowRate = 0.3
    public var badPixelRate = 0.003
    /// Share of runs with one dead ASIC.
    public var deadASICRate = 0.2
    /// Read noise, ADU.
    public var noise_ADU = 3.4
    /// Common mode of a 2×1, ADU rms.
    public var commonMode_ADU = 6.0
    /// Share of 2×1 readouts whose common mode has 25 ADU rms instead.
    public var wideCommonModeRate = 0.02
    /// What a readout with wide common mode adds to it: this share of the whole charge of the 2×1, in ADU. Real ones show some 2e-4.
    public var crosstalk = 0.0
    /// Share of runs with one ASIC in low gain: 1/6.85 of the gain and 3500 eV of read noise. Its gain bits say so, the constants do not.
    public var lowGainRate = 0.0
    /// Gain, ADU per eV.
    public var gain_ADUPerEV = 0.00338
    public var medium = Medium.water
    public var calibrant = Calibrant.silverBehenate
    /// Top of calibrant and ice rings over that of the water ring, log-uniform.
    public var ringStrength: ClosedRange<Double> = 0.5...5
    /// Light that comes from no sample (air, a capillary's glass), the same over q: share of the ring's top.
    public var background = 0.01
    public var shadow = ShadowKind.drawn
    /// The detector's geometry turned about the beam, with the light as it was: the same events seen by the mirrored detector, whose
    /// panels are those of the other one.
    public var detectorSymmetry = Symmetry.identity

    /// What carries the sample: water with its rings at 2.0 and 2.9 Å⁻¹, or a lipidic phase with one narrow ring at 4.5 Å (width and
    /// height assumed).
    public enum Medium: String, Codable, Hashable, Sendable, CaseIterable { case water, lipid }

    /// Powders by their first rings: silver behenate (d = 58.38 Å/n), LaB6 (primitive cubic, a = 4.157 Å; NIST SRM 660), CeO2
    /// (face-centred cubic, a = 5.411 Å; NIST SRM 674).
    public enum Calibrant: String, Codable, Hashable, Sendable, CaseIterable {
      case silverBehenate, lanthanumHexaboride, ceria

      /// Å.
      var spacings: [Double] {
        switch self {
        case .silverBehenate: (1...12).map { 58.38 / Double($0) }
        case .lanthanumHexaboride: [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13].map { 4.157 / Double($0).squareRoot() }
        case .ceria: [3, 4, 8, 11, 12, 16, 19, 20, 24, 27].map { 5.411 / Double($0).squareRoot() }
        }
      }
    }

    /// What stands between sample and detector besides the beam-stop: by `shadowRate` once a run, nothing, the edge of a holder, or
    /// a round opening.
    public enum ShadowKind: String, Codable, Hashable, Sendable, CaseIterable { case drawn, none, edge, opening }

    /// Energy, distance and shadow change the optics of a shot; the constants stay those of the run, so a shot of another photon energy
    /// is calibrated in photons of the run's.
    static let shotKeys: Set<String> = [
      "hitRate", "photonEnergy_eV", "distance_mm", "ringPhotons", "spotPhotons", "noJetRate", "streakRate", "iceRate", "calibrantRate",
      "medium", "calibrant", "ringStrength", "background", "shadow",
    ]

    public init() {}

    var fault: ParameterFault? {
      if roiMask == 0 { return ("roiMask", "at least one section", "0") }
      return rateFault([
        "hitRate": hitRate, "noJetRate": noJetRate, "streakRate": streakRate, "iceRate": iceRate, "calibrantRate": calibrantRate,
        "shadowRate": shadowRate, "badPixelRate": badPixelRate, "deadASICRate": deadASICRate,
        "wideCommonModeRate": wideCommonModeRate, "crosstalk": crosstalk, "lowGainRate": lowGainRate,
      ]) ?? spanFault([
        "photonEnergy_eV": (photonEnergy_eV, 1000...25000), "distance_mm": (distance_mm, 20...5000),
        "ringPhotons": (ringPhotons, 1e-6...1e4), "ringStrength": (ringStrength, 1e-3...1e3), "background": (single(background), 0...100), "centreOffset_mm": (single(centreOffset_mm), 0...50),
        "spotPhotons": (single(spotPhotons), 1e-3...1e6), "pulseEnergy_mJ": (single(pulseEnergy_mJ), 1e-6...100),
        "noise_ADU": (single(noise_ADU), 0...1000), "commonMode_ADU": (single(commonMode_ADU), 0...1000),
        "gain_ADUPerEV": (single(gain_ADUPerEV), 1e-6...1),
      ])
    }
  }

  static let columns = [
    "hit", "spots", "detectable_spots", "jet_on", "ring_visible", "ring_radius_mm", "ring_photons_per_px", "ice", "calibrant", "streak",
    "streak_angle_deg", "saxs_photons_at_0.1_per_A", "photons", "photons_per_px", "mean_signal_ADU", "pulse_energy_mJ",
    "photon_energy_eV", "distance_mm", "centre_x_mm", "centre_y_mm",
  ]

  let source = XTC1Source.cspad
  let configuration: [XTC1Record]
  let parameters: Parameters
  let hitRate: Double
  let detector: CSPADSensors
  let geometry: Geometry
  let assembly: Assembly
  let optics: Optics, ringPhotons: Double
  let centre: (x: Double, y: Double)
  /// Per pixel, from the beam in the detector plane: mm (psana's x and y).
  let x: [Float], y: [Float]
  static let radialStep = 0.002, radialCount = 4096
  static let shape: Shape = [32, CSPAD.rows, CSPAD.columns]

  init(_ parameters: Parameters, hitRate: Double, random: Philox) throws(InputError) {
    self.parameters = parameters
    self.hitRate = hitRate
    var random = random
    func draw(_ range: ClosedRange<Double>) -> Double { random.uniform(range.lowerBound, range.upperBound) }
    let photonEnergy = draw(parameters.photonEnergy_eV), distance = draw(parameters.distance_mm)
    ringPhotons = random.logUniform(parameters.ringPhotons.lowerBound, parameters.ringPhotons.upperBound)
    let table = Geometry.cspadSensors, count = Double(table.count), reach = parameters.centreOffset_mm
    let beam = (
      x: table.reduce(0) { $0 + $1.x } / count + random.uniform(-reach, reach),
      y: table.reduce(0) { $0 + $1.y } / count + random.uniform(-reach, reach)
    )
    centre = parameters.detectorSymmetry(x: beam.x, y: beam.y)
    var nodes = table.enumerated().map { index, sensor in
      Geometry.Node(
        parent: "CSPAD:V2", object: "SENS2X1:V1", index: index, x: (1000 * sensor.x + random.normal(0, 50)).rounded(),
        y: (1000 * sensor.y + random.normal(0, 50)).rounded(), z: 100, rotationZ: sensor.rotation,
        tiltZ: (random.normal(0, 0.3) * 1e4).rounded() / 1e4)
    }
    nodes.append(
      Geometry.Node(
        parent: "IP", object: "CSPAD:V2", x: (-1000 * beam.x).rounded(), y: (-1000 * beam.y).rounded(),
        z: (1000 * distance).rounded()))
    geometry = try parameters.detectorSymmetry(
      Geometry(nodes: nodes, comments: ["TITLE Geometry parameters of a simulated CSPAD", "CALIB_TYPE geometry"]))
    assembly = try Assembly(geometry: geometry, panelShape: Self.shape)
    let positions = try geometry.pixelPositions()
    x = positions.x.elements.map { Float($0 / 1000) }
    y = positions.y.elements.map { Float($0 / 1000) }

    let hasEdge = random.uniform() <= parameters.shadowRate
    let shadow = Shadow(hasEdge ? .edge : .none, &random)
    optics = Optics(photonEnergy: photonEnergy, distance: distance, shadow: shadow, x: x, y: y)
    detector = CSPADSensors(parameters, photonEnergy: photonEnergy, random: random.keyed("sensors"))
    let lowGain = detector.lowGainASIC
    configuration = [
      .cspadConfiguration(source, roiMask: parameters.roiMask) { quad, _, _ in
        guard let lowGain, lowGain / 16 == quad else { return 0xFFFF }
        return 0xFFFF & ~((1 as UInt16) << UInt16(lowGain % 16))
      }
    ]
  }

  /// Obstacles: the beam-stop, and the edge of a holder or a round opening.
  struct Shadow: Sendable {
    let stop: Double, edge: Double, angle: Double, leak: Double
    let kind: Parameters.ShadowKind

    init(_ kind: Parameters.ShadowKind, _ random: inout Philox) {
      self.kind = kind
      stop = random.uniform(2, 4)
      edge = kind == .opening ? random.uniform(62, 68) : random.uniform(50, 85)
      angle = random.uniform(0, 2 * .pi)
      leak = random.uniform(0, 0.2)
    }

    func transmission(_ x: Double, _ y: Double) -> Double {
      if x * x + y * y < stop * stop { return 0.02 }
      switch kind {
      case .drawn, .none: return 1
      case .edge: return x * cos(angle) + y * sin(angle) > edge ? leak : 1
      case .opening: return x * x + y * y > edge * edge ? leak : 1
      }
    }
  }

  /// Where the light of a shot goes: photon energy, distance and obstacles, and what follows for every pixel.
  struct Optics: Sendable {
    let photonEnergy: Double, distance: Double
    /// Solid angle × polarisation × shadow, relative to the forward direction.
    let factor: [Float]
    /// Index into a radial table of `radialStep` Å⁻¹ a cell.
    let radial: [UInt16]

    init(photonEnergy: Double, distance: Double, shadow: Shadow, x: [Float], y: [Float]) {
      (self.photonEnergy, self.distance) = (photonEnergy, distance)
      let wavelength = 12398.42 / photonEnergy
      var factor = [Float](repeating: 0, count: x.count), radial = [UInt16](repeating: 0, count: x.count)
      for i in x.indices {
        let px = Double(x[i]), py = Double(y[i]), r2 = px * px + py * py
        let cosine = distance / (r2 + distance * distance).squareRoot(), sine2 = 1 - cosine * cosine
        // Horizontal polarisation: psana's y is the laboratory's horizontal axis.
        let polarisation = 1 - (r2 > 0 ? sine2 * py * py / r2 : 0)
        factor[i] = Float(cosine * cosine * cosine * polarisation * shadow.transmission(px, py))
        // q = 4π/λ sin(θ), with cos 2θ known.
        let q = 4 * Double.pi / wavelength * (max(0, 1 - cosine) / 2).squareRoot()
        radial[i] = UInt16(min(Double(CSPADSimulator.radialCount - 1), q / CSPADSimulator.radialStep))
      }
      (self.factor, self.radial) = (factor, radial)
    }

    /// Radius on the detector of momentum transfer `q` (Å⁻¹), mm.
    func radius(_ q: Double) -> Double {
      let sine = q * 12398.42 / photonEnergy / (4 * .pi)
      return sine < 0.7 ? distance * tan(2 * asin(sine)) : .infinity
    }
  }

  func shot(hasBeam: Bool, fiducial: UInt32, position: Double, condition: Parameters?, random: Philox) -> SimulatedShot {
    var random = random, own = random.keyed("condition")
    let p = condition ?? parameters, hitRate = condition?.hitRate ?? hitRate
    let optics = condition.map { makeOptics(of: $0, &own) } ?? optics
    let ringPhotons = condition.map { own.logUniform($0.ringPhotons.lowerBound, $0.ringPhotons.upperBound) } ?? ringPhotons
    let intensity = hasBeam ? random.gamma(shape: 8, scale: 1.0 / 8) : 0
    let hasJet = random.uniform() >= p.noJetRate && hasBeam, isCalibrant = random.uniform() < p.calibrantRate
    let isHit = random.uniform() <= hitRate && hasJet && !isCalibrant
    let isIcy = random.uniform() < p.iceRate && hasJet, hasStreak = random.uniform() < p.streakRate && hasJet
    let streakAngle = (random.uniform() < 0.5 ? 1.0 : -1) * 90 + random.normal(0, 3)
    let saxs = hasJet ? random.logUniform(0.1, 20) : 0

    var expected = [Float](repeating: 0, count: x.count)
    if hasBeam {
      let profile = radialProfile(p, intensity, ringPhotons, hasJet: hasJet, isCalibrant: isCalibrant, saxs: saxs, isIcy: isIcy, &random)
      for i in expected.indices { expected[i] = optics.factor[i] * profile[Int(optics.radial[i])] }
    }
    if hasStreak { addStreak(&expected, optics, angle: streakAngle * .pi / 180, level: Float(intensity * random.logUniform(2, 30)), &random) }
    var spots = 0, detectable = 0
    if isHit {
      (spots, detectable) = addCrystal(&expected, optics, p, intensity: intensity, &random)
    } else if hasJet {
      let stray = Int(random.uniform(0, 5))
      (spots, detectable) = addStrays(&expected, p, stray, intensity: intensity, &random)
    }
    // Charge goes with the photon's energy; the run's gain is that of its own.
    let exposure = detector.expose(expected, p, charge: Float(optics.photonEnergy / self.optics.photonEnergy), random.keyed("pixels"))

    var beamline = BeamlineRecord(pulseEnergyMJ: intensity * p.pulseEnergy_mJ)
    beamline.beam = .typical(&random, energyMeV: 13460)
    beamline.beam.photonEnergy_eV = hasBeam ? optics.photonEnergy : 0
    beamline.eventCodes = [hasBeam ? 140 : 162]
    let leaves = [.cspadElement(source, exposure.counts, roiMask: p.roiMask, fiducial: fiducial)] + beamline.leaves(&random)
    let ring = optics.radius(2.0)
    let gain = p.gain_ADUPerEV * optics.photonEnergy, pixels = Double(p.roiMask.nonzeroBitCount * CSPAD.rows * CSPAD.columns)
    return SimulatedShot(
      leaves: leaves, hasBeam: hasBeam,
      truth: [
        text(detectable >= 15), text(spots), text(detectable), text(hasJet), text(hasJet && !isCalibrant && ring < 95), text(ring),
        text(hasJet && !isCalibrant ? intensity * ringPhotons : 0), text(isIcy), text(isCalibrant && hasJet), text(hasStreak),
        hasStreak ? text(streakAngle) : "nan", text(saxs), text(exposure.photons), text(Double(exposure.photons) / pixels),
        text(Double(exposure.photons) * gain / pixels), text(beamline.pulseEnergyMJ), text(optics.photonEnergy), text(optics.distance), text(centre.x),
        text(centre.y),
      ])
  }

  private func makeOptics(of p: Parameters, _ random: inout Philox) -> Optics {
    let energy = random.uniform(p.photonEnergy_eV.lowerBound, p.photonEnergy_eV.upperBound)
    let distance = random.uniform(p.distance_mm.lowerBound, p.distance_mm.upperBound)
    let hasEdge = random.uniform() <= p.shadowRate
    let shadow = Shadow(p.shadow == .drawn ? (hasEdge ? .edge : .none) : p.shadow, &random)
    return Optics(photonEnergy: energy, distance: distance, shadow: shadow, x: x, y: y)
  }

  /// Expected photons a pixel over q, before solid angle and polarisation.
  private func radialProfile(
    _ p: Parameters, _ intensity: Double, _ ringPhotons: Double, hasJet: Bool, isCalibrant: Bool, saxs: Double, isIcy: Bool,
    _ random: inout Philox
  ) -> [Float] {
    let strength = random.logUniform(p.ringStrength.lowerBound, p.ringStrength.upperBound)
    let spacings = isCalibrant && hasJet ? p.calibrant.spacings : isIcy ? [3.90, 3.67, 3.44, 2.67, 2.25] : []
    let rings = spacings.map { 2 * Double.pi / $0 }, level = intensity * ringPhotons
    return (0..<Self.radialCount).map { cell in
      let q = (Double(cell) + 0.5) * Self.radialStep
      var value = p.background * level
      if hasJet, !isCalibrant {
        switch p.medium {
        case .water:
          let first = (q - 2.0) / 0.25, second = (q - 2.9) / 0.35
          value += level * (exp(-first * first / 2) + 0.35 * exp(-second * second / 2) + 0.15)
        case .lipid:
          let ring = (q - 2 * Double.pi / 4.5) / 0.08
          value += level * (1.5 * exp(-ring * ring / 2) + 0.15)
        }
        if q < 0.15 { value += min(300, intensity * saxs * pow(q / 0.1, -4)) }
      }
      for ring in rings where abs(q - ring) < 0.05 { value += level * strength * exp(-(q - ring) * (q - ring) / 2e-4) }
      return Float(value)
    }
  }

  /// A bright line through the beam: a jet edge scatters across itself. Falls as exp(-r / 20 mm).
  private func addStreak(_ expected: inout [Float], _ optics: Optics, angle: Double, level: Float, _ random: inout Philox) {
    let c = Float(cos(angle)), s = Float(sin(angle)), width = Float(random.uniform(3, 6) * 0.10992 / 2)
    for i in expected.indices {
      // The laboratory's horizontal axis is psana's y, so 90 degrees runs along psana's x.
      let across = y[i] * s - x[i] * c
      guard abs(across) < 4 * width else { continue }
      let r = (x[i] * x[i] + y[i] * y[i]).squareRoot()
      expected[i] += optics.factor[i] * level * exp(-across * across / (2 * width * width)) * exp(-r / 20)
    }
  }

  func writeCalibration(to folder: CalibrationFolder, experiment: String, run: Int) throws(InputError) -> [String] {
    let name = source.name
    func write(_ values: [Float], _ kind: CalibrationFolder.Kind) throws(InputError) -> String {
      try folder.write(Tensor(Self.shape, values), kind: kind, source: name, experiment: experiment, first: run, last: run)
    }
    return [
      try write(detector.pedestal, .pedestals), try write(detector.noise, .noise), try write(detector.status.map { Float($0) }, .status),
      try write(detector.knownGain.map { 1 / $0 }, .gain), try folder.write(geometry, source: name, first: run, last: run),
    ]
  }
}
