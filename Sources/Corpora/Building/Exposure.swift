import Frames
import Host
import Tensors

/// The payloads that make one picture (or one a panel), on their way through the pipeline.
struct Exposure: Sendable {
  let payloads: [Payload]
  let detector: any Detector.Type
  let constants: CalibrationConstants
  let placement: DetectorPlacement?
  /// The short way to the same picture, where there is one.
  let panelwise: PanelwiseDevelopment?
  /// The raw file, and where in it, for complaints.
  let path: String
  let place: String

  /// One picture as stored, before it is known whether it is kept.
  struct Picture: Sendable {
    let panel: Int
    let unit: String
    /// The share of the frame's good pixels at full scale; `nil` where the record does not tell its full scale.
    let saturation: Double?
    let image: MaskedImage
  }

  /// raw -> decode -> calibrate -> view -> area average -> tone.
  /// - Parameter begun: what the short way made of the first steps.
  func pictures(_ optics: SourceOptics, begun: PanelwiseDevelopment.Picture?) throws(InputError) -> [Picture] {
    if let begun {
      let image = optics.tone.mapped(begun.image)
      return [Picture(panel: -1, unit: begun.unit.rawValue, saturation: begun.saturation, image: image)]
    }
    var raws: [Tensor<Float>] = []
    for payload in payloads {
      let raw = try detector.decode(payload, path: path)
      guard raw.shape.rank == 3, raw.shape.count > 0 else {
        throw InputError(path: path, place: place, expected: "an image with pixels", found: "shape \(raw.shape)")
      }
      // Detectors mark pixels that a record leaves out by NaN; only stored numbers can be at fault.
      let isReal = payload.info.element == .float32 || payload.info.element == .float64
      if isReal, optics.recipe.nonFinite == .error, let i = raw.elements.firstIndex(where: { !$0.isFinite }) {
        let columns = raw.shape[2], rows = raw.shape[1]
        throw InputError(
          path: path, place: "\(place), panel \(i / (rows * columns)), row \(i / columns % rows), column \(i % columns)",
          expected: "finite pixels (or nonFinite: mask)", found: "\(raw.elements[i])")
      }
      raws.append(raw)
    }
    let raw = try stacked(raws)
    var frame = try detector.calibrate(raw, constants, path: path)
    if let gap = optics.recipe.gapValue {
      for i in raw.elements.indices where raw.elements[i] == gap { frame.mask.elements[i] = 0 }
    }
    if let i = clear(&frame) {
      throw InputError(
        path: path, place: "\(place), pixel \(i)", expected: "a finite signal after calibration", found: "\(frame.signal.elements[i])")
    }
    let saturation = saturation(of: raw, frame)
    return try views(of: frame, optics).map { panel, image in
      Picture(panel: panel, unit: frame.unit.rawValue, saturation: saturation, image: optics.tone.mapped(image))
    }
  }

  /// Sets the signal of bad pixels to 0; returns the first good pixel that is no number.
  private func clear(_ frame: inout Frame) -> Int? {
    let good = frame.mask.elements, mask = good.span
    var signal = frame.signal.elements.mutableSpan
    precondition(signal.count == mask.count, "a mask of another shape")
    // All exponent bits set: not finite. Without a branch in the loop.
    var doubt: UInt32 = 0
    for i in 0..<mask.count {
      let value = mask[i] != 0 ? signal[i] : 0
      signal[i] = value
      doubt |= value.bitPattern & 0x7F80_0000 == 0x7F80_0000 ? 1 : 0
    }
    return doubt == 0 ? nil : signal.indices.first { !signal[$0].isFinite }
  }

  private func saturation(of raw: Tensor<Float>, _ frame: Frame) -> Double? {
    guard let full = detector.fullScale(of: payloads[0]) else { return nil }
    let counts = raw.elements.span, mask = frame.mask.elements.span
    precondition(counts.count == mask.count, "a mask of another shape")
    // Frames have fewer than 2^31 pixels; without a branch in the loop.
    var good: Int32 = 0, saturated: Int32 = 0
    for i in 0..<counts.count {
      let isGood: Int32 = mask[i] != 0 ? 1 : 0
      good &+= isGood
      saturated &+= counts[i] >= full ? isGood : 0
    }
    return good == 0 ? 0 : Double(saturated) / Double(good)
  }

  private func stacked(_ raws: [Tensor<Float>]) throws(InputError) -> Tensor<Float> {
    guard raws.count > 1 else { return raws[0] }
    let shape = raws[0].shape
    guard shape[0] == 1, shape[1] == 1, raws.allSatisfy({ $0.shape == shape }) else {
      throw InputError(
        path: path, place: place, expected: "single rows of one width to stack",
        found: Set(raws.map { "\($0.shape)" }).sorted().joined(separator: ", "))
    }
    return Tensor([1, raws.count, shape[2]], raws.flatMap(\.elements))
  }

  private func views(of frame: Frame, _ optics: SourceOptics) throws(InputError) -> [(Int, MaskedImage)] {
    let recipe = optics.recipe, shape = frame.signal.shape
    switch recipe.view {
    case .assembled:
      guard let projection = placement?.projection, projection.panelShape == shape else {
        throw InputError(
          path: path, place: place, expected: "a frame \(placement?.projection?.panelShape.description ?? "") like the geometry's panels",
          found: "\(shape)")
      }
      return [(-1, projection.picture(of: frame))]
    case .picture:
      guard shape[0] == 1 else {
        throw InputError(path: path, place: place, expected: "one panel for view: picture", found: "\(shape[0]) panels")
      }
      return [(-1, try framedPanel(0, of: frame, optics))]
    case .panels:
      return try (0..<shape[0]).map { panel throws(InputError) in (panel, try framedPanel(panel, of: frame, optics)) }
    }
  }

  private func framedPanel(_ panel: Int, of frame: Frame, _ optics: SourceOptics) throws(InputError) -> MaskedImage {
    let part = try optics.recipe.part(ofHeight: frame.signal.shape[1], width: frame.signal.shape[2], path: path)
    let whole = MaskedImage(
      pixels: frame.signal[first: panel], weight: frame.mask[first: panel].map { $0 == 0 ? 0 : 1 })
    let image = whole.cropped(rows: part.rows, columns: part.columns)
    return Framing(
      sourceHeight: image.height, sourceWidth: image.width, height: optics.image.height, width: optics.image.width,
      fit: optics.recipe.fit, centre: try optics.recipe.centrePixel(within: image.height, image.width, path: path)
    ).applied(to: image)
  }
}
