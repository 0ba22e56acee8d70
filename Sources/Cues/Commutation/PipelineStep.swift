import Corpora
import Frames
import Host
import Pretexts
import Tensors

/// One step that a picture goes through on its way to a network, as far as mirrors and quarter turns are concerned.
///
/// Pictures are planes `[H,W]` of one size: a colour each, or pixels and measured share.
public struct PipelineStep: Sendable {
  public let name: String
  /// Where a step has a handedness that no residual can judge, the control that does.
  public let judgedBy: String?
  /// The side of the square tiles within which the step treats pixels unlike (blocks of a codec, cells of a mosaic): the shifts that
  /// the glide residual tries. 1 where all pixels are treated alike.
  public let period: Int
  private let body: @Sendable ([Tensor<Float>]) throws -> [Tensor<Float>]

  public init(
    _ name: String, period: Int = 1, judgedBy: String? = nil, _ body: @escaping @Sendable ([Tensor<Float>]) throws -> [Tensor<Float>]
  ) {
    (self.name, self.period, self.judgedBy, self.body) = (name, period, judgedBy, body)
  }

  public func callAsFunction(_ planes: [Tensor<Float>]) throws -> [Tensor<Float>] { try body(planes) }

  /// The steps one after the other.
  public static func chained(_ name: String, _ steps: [PipelineStep]) -> PipelineStep {
    PipelineStep(name, period: steps.map(\.period).max() ?? 1) { try steps.reduce($0) { try $1($0) } }
  }

  /// A step on pictures that know what they measured: the planes are pixels and weight.
  static func masked(
    _ name: String, judgedBy: String? = nil, _ body: @escaping @Sendable (MaskedImage) throws -> MaskedImage
  ) -> PipelineStep {
    PipelineStep(name, judgedBy: judgedBy) { planes in
      let weight = planes.count > 1 ? planes[1] : Tensor(repeating: 1, planes[0].shape)
      let image = try body(MaskedImage(pixels: planes[0], weight: weight))
      return [image.pixels, image.weight]
    }
  }
}

extension PipelineStep {
  /// Margins or crop to the corpus's proportions, and the area average to its size.
  static func framing(height: Int, width: Int, fit: SourceRecipe.Fit) -> PipelineStep {
    .masked("\(fit.rawValue), area average to \(height)×\(width)") { image in
      Framing(sourceHeight: image.height, sourceWidth: image.width, height: height, width: width, fit: fit).applied(to: image)
    }
  }

  static func toneMap(_ tone: ToneMap) -> PipelineStep { .masked("tone map \(tone.curve.rawValue)") { tone.mapped($0) } }

  /// What a shard keeps: pixels as they are, the measured share in units of 1/255.
  static let store = PipelineStep.masked("store and read back") { image in
    MaskedImage(pixels: image.pixels, weight: image.weight.map { Float(Shard.byte(of: $0)) / 255 })
  }

  static func inputScaling(_ scaling: InputScaling) -> PipelineStep {
    PipelineStep("input scaling") { planes in
      let weight = planes.count > 1 ? planes[1] : Tensor(repeating: 1, planes[0].shape)
      let image = MaskedImage(pixels: planes[0], weight: weight)
      return [scaling.channel(image).reshaped(to: image.pixels.shape)]
    }
  }

  /// How a task cuts pieces out of a picture and resamples them; the picture as it is where it is too small for that.
  package static func cutting(of task: any PretextTask) -> PipelineStep {
    .masked("\(type(of: task).name): cut and resampled") { task.centralPiece(of: $0) ?? $0 }
  }

  /// The common mode of a detector without any constant: what its fixed readout blocks alone do to left and right.
  static func commonMode(_ mode: CommonMode, of detector: any Detector.Type) -> PipelineStep {
    PipelineStep("common mode of \(detector.name)") { planes in
      // Counts of noise as small as those of dark frames, which common mode corrects.
      let shape = planes[0].shape, counts = planes[0].map { ($0 - 120) / 8 }
      let frame = try detector.calibrate(
        counts.reshaped(to: [1, shape[0], shape[1]]), CalibrationConstants(commonMode: mode), path: "commutation")
      return [frame.signal.reshaped(to: shape)]
    }
  }

  /// What an assembly does to a scene: each panel pixel measures it at its own place, between four pixels of the canvas, and is put on the nearest
  /// one. Positions are rounded from one side, so a mirrored scene comes out displaced by other fractions of a pixel. Shown is what the mirrored
  /// and turned detectors measure, too: the outline is another row.
  ///
  /// Takes scenes of the canvas's size alone. Throws for a geometry that describes no detector.
  package static func assembly(_ geometry: DetectorGeometry) throws(InputError) -> (step: PipelineStep, height: Int, width: Int) {
    let positions = try geometry.pixelPositions()
    let assembly = try Assembly(positions: positions, panelShape: positions.x.shape, path: geometry.path)
    let (height, width) = (assembly.height, assembly.width), footprint = assembly.footprint.map { Float($0) }
    let group = height == width ? Symmetry.allCases : Symmetry.allCases.filter { !$0.transposes }
    let shown = MaskedImage(pixels: footprint, weight: footprint).showingOnlyPixelsMeasured(underAll: group, minimumWeight: 0.5).weight.elements
    /// The canvas pixel before a position, and the share of the one after it.
    func place(_ position: Double, from first: Double, below end: Int) -> (Int, Float) {
      let x = (position - first) / positions.pixelSize, low = max(0, min(end - 2, Int(x)))
      return (low, Float(min(1, x - Double(low))))
    }
    let seen = assembly.targets.indices.filter { assembly.targets[$0] >= 0 && shown[Int(assembly.targets[$0])] > 0 }
    let samples = seen.map { index in
      let (row, down) = place(positions.x.elements[index], from: assembly.originMM.x * 1000, below: height)
      let (column, right) = place(positions.y.elements[index], from: assembly.originMM.y * 1000, below: width)
      return (target: Int(assembly.targets[index]), corner: row * width + column, down: down, right: right)
    }
    let step = PipelineStep("assembly of panels at their nominal places", judgedBy: MirroredGeometry.name) { planes in
      precondition(planes[0].shape == [height, width], "a scene \(planes[0].shape) for a canvas of \(height)×\(width)")
      let scene = planes[0].elements
      var sums = [Float](repeating: 0, count: height * width), counts = sums
      for (target, corner, down, right) in samples {
        let upper = scene[corner] + right * (scene[corner + 1] - scene[corner])
        let lower = scene[corner + width] + right * (scene[corner + width + 1] - scene[corner + width])
        sums[target] += upper + down * (lower - upper)
        counts[target] += 1
      }
      return [Tensor([height, width], zip(sums, counts).map { $1 > 0 ? $0 / $1 : 0 })]
    }
    return (step, height, width)
  }

  /// The outline of what a detector measures.
  static func outline(_ weight: Tensor<Float>, _ name: String) -> PipelineStep {
    .masked(name, judgedBy: MaskOnly.name) { image in
      precondition(image.weight.shape == weight.shape, "an outline \(weight.shape) for a picture \(image.weight.shape)")
      let pixels = Tensor(image.pixels.shape, zip(image.pixels.elements, weight.elements).map { $1 > 0 ? $0 : 0 })
      return MaskedImage(pixels: pixels, weight: weight)
    }
  }

  /// An averaging `kernel`×`kernel` filter with a stride and zeros around the picture, as networks begin: `[H,W] -> [H',W']` with
  /// H' = (H + 2·padding − kernel)/stride + 1, rounded down.
  public static func stem(kernel: Int, stride: Int, padding: Int) -> PipelineStep {
    PipelineStep("\(kernel)×\(kernel) convolution, stride \(stride)", period: stride) { planes in
      planes.prefix(1).map { plane in
        let height = plane.shape[0], width = plane.shape[1]
        let rows = (height + 2 * padding - kernel) / stride + 1, columns = (width + 2 * padding - kernel) / stride + 1
        // Sums of floats depend on their order: in double precision those of small counts do not.
        var result = [Float](repeating: 0, count: rows * columns)
        for row in 0..<rows {
          for column in 0..<columns {
            var sum = 0.0
            for i in max(0, row * stride - padding)..<min(height, row * stride - padding + kernel) {
              for j in max(0, column * stride - padding)..<min(width, column * stride - padding + kernel) { sum += Double(plane.elements[i * width + j]) }
            }
            result[row * columns + column] = Float(sum / Double(kernel * kernel))
          }
        }
        return Tensor([rows, columns], result)
      }
    }
  }

  /// Whether a raw file went through JPEG before it came here, by its name.
  static func isJPEG(file: String) -> Bool { [".jpg", ".jpeg"].contains { file.lowercased().hasSuffix($0) } }

  /// JPEG and back by libjpeg: grey for one plane, colour for three. Counts are rounded to 0...255.
  public static func jpeg(quality: Int) -> PipelineStep {
    // Colour is stored at half resolution: units of 16 pixels.
    PipelineStep("JPEG at quality \(quality)", period: 16) { planes in
      let shape = planes[0].shape
      func count(_ value: Float) -> UInt8 { UInt8(max(0, min(255, value.rounded()))) }
      if planes.count == 1 {
        let bytes = JPEG.encode(grey: planes[0].elements.map(count), rows: shape[0], columns: shape[1], quality: quality)
        return [Tensor(shape, try JPEG.decode(bytes, path: "commutation").bytes.map { Float($0) })]
      }
      precondition(planes.count == 3, "a JPEG picture has one or three colours, not \(planes.count)")
      let interleaved = (0..<shape.count * 3).map { count(planes[$0 % 3].elements[$0 / 3]) }
      let decoded = try JPEG.decodeColour(
        JPEG.encode(rgb: interleaved, rows: shape[0], columns: shape[1], quality: quality), path: "commutation")
      return (0..<3).map { colour in Tensor(shape, (0..<shape.count).map { Float(decoded.bytes[$0 * 3 + colour]) }) }
    }
  }
}
