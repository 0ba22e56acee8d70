import Corpora
import Engine
import Evaluation
import Foundation
import Graphs
import Host
import Networks
import Pretexts
import Tensors
import Training

/// A positive control: white noise with one hot pixel of known size. It must be found, by a linear detector as well as theory
/// allows, and by a network of the same kind trained in the same way. A "chance" beside a control that is not found means nothing.
///
/// The best linear detector of one pixel of amplitude A·σ is right in Φ(A/√2) of all frames.
public struct PlantedPixel: Control, Codable, Hashable {
  public static let name = "planted pixel"
  public static let meaning = "the pipeline finds a cue that is there"

  /// In standard deviations of the noise.
  public var amplitude = 4.0
  /// Frames behind the linear detector's template, and as many to test it.
  public var frames = 4000
  /// Steps for which the network is trained.
  public var steps = 150
  public var batch = 32
  public var seed: UInt64 = 1
  public init() {}

  public struct Outcome: Codable, Hashable, Sendable {
    public var amplitude: Double
    /// Φ(A/√2).
    public var oracle: Double
    /// Antisymmetric mean template, on frames it has not seen.
    public var linear: Score
    /// A fresh network trained like the judged one, on frames it has not seen.
    public var network: Score
    /// The share of frames whose strongest evidence lies within one cell of the map from the pixel or its mirror twin, with
    /// the weighting that the report's maps use.
    public var localized: Score
    /// The same with each weighting of the gradients.
    public var localizedByWeighting: [String: Score]
    public var row: Int
    public var column: Int
  }

  /// White noise with the pixel, as the flip task sees it: unit variance, every pixel measured.
  private func frame(_ index: Int, side: Int, at place: Int, stream: UInt64) -> MaskedImage {
    var random = Philox(seed: seed, stream, UInt64(index))
    var pixels = (0..<side * side).map { _ in Float(random.normal()) }
    pixels[place] += Float(amplitude)
    return MaskedImage(pixels: Tensor([side, side], pixels), weight: Tensor(repeating: 1, [side, side]))
  }

  /// Runs both detectors at the size and with the backbone, optimiser and learning rate of `checkpoint`.
  public func run(like checkpoint: Checkpoint, path: String, progress: ProgressHandler = { _ in }) throws -> Outcome {
    let side = checkpoint.description.side, row = side / 3, column = side / 4, place = row * side + column
    let scaling = InputScaling(mean: 0, deviation: 1)
    // The very question and head of the judged one, of whole pictures and without jitter; the pixel lies off both axes.
    let asked = (try checkpoint.description.recipe.task.task(path: path) as? Flip) ?? Flip()
    let flip = Flip(antisymmetric: asked.antisymmetric, axis: asked.axis, jitter: Jitter(intensity: 0, offset: 0, noise: 0))

    // The linear detector: w = mean of (view, signed by its label), tested on frames of another stream.
    var template = [Double](repeating: 0, count: side * side), right = 0
    for phase in 0..<2 {
      for index in 0..<frames {
        var random = Philox(seed: seed, 20, UInt64(phase), UInt64(index))
        let example = flip.makeExample(
          from: frame(index, side: side, at: place, stream: UInt64(10 + phase)), answer: nil, classes: 2, scaling: scaling,
          augmenting: false, using: &random)
        let view = example["view"]!.elements, twin = flip.axis.symmetry(Tensor([side, side], view)).elements, sign = example["mirrored"]!.elements[0] > 0 ? 1.0 : -1.0
        // Antisymmetric part only: what is alike in both orientations cannot help.
        if phase == 0 {
          for i in view.indices { template[i] += sign * Double(view[i] - twin[i]) }
        } else {
          let answer = zip(template, view).reduce(0) { $0 + $1.0 * Double($1.1) }
          if (answer > 0) == (sign > 0) { right += 1 }
        }
      }
    }
    let linear = Score.accuracy(right: right, of: frames, chance: 0.5)

    let trained = try train(like: checkpoint, flip: flip, side: side, place: place, scaling: scaling, path: path, progress: progress)
    let held = (0..<400).map { frame($0, side: side, at: place, stream: 12) }
    let twin = flip.axis.symmetry(SIMD2(Double(column), Double(row)), height: side, width: side)
    var localized: [String: Score] = [:], network: Score?
    for weighting in GradCAM.Weighting.allCases {
      let model = try FlipModel(trained, path: path, weighting: weighting)
      network = try model.accuracy(held, runs: Array(repeating: 0, count: held.count), metric: "planted pixel accuracy")
      let hits = try model.judge(held).count { judgement in
        let cell = Double(side) / Double(judgement.attribution.shape[0]), peak = GradCAM.peak(judgement.attribution)
        func near(_ target: SIMD2<Double>) -> Bool {
          abs((Double(peak.row) + 0.5) * cell - target.y) <= 1.5 * cell && abs((Double(peak.column) + 0.5) * cell - target.x) <= 1.5 * cell
        }
        return near(SIMD2(Double(column), Double(row))) || near(twin)
      }
      localized[weighting.rawValue] = Score.accuracy(right: hits, of: held.count)
    }
    return Outcome(
      amplitude: amplitude, oracle: AnalyticOracle.flipAccuracy(pixelAmplitude: amplitude), linear: linear, network: network!,
      localized: localized[GradCAM.Weighting.local.rawValue]!, localizedByWeighting: localized, row: row, column: column)
  }

  private func train(
    like checkpoint: Checkpoint, flip: Flip, side: Int, place: Int, scaling: InputScaling, path: String, progress: ProgressHandler
  ) throws -> Checkpoint {
    try FreshTraining(steps: steps, batch: batch, seed: seed).run(
      like: checkpoint, task: flip, scaling: scaling, path: path, progress: progress
    ) { step in
      let examples = (0..<batch).map { index in
        var random = Philox(seed: seed, 30, UInt64(step), UInt64(index))
        return flip.makeExample(
          from: frame(step * batch + index, side: side, at: place, stream: 13), answer: nil, classes: 2, scaling: scaling,
          augmenting: false, using: &random)
      }
      return Dictionary(uniqueKeysWithValues: ["view", "mirrored"].map { key in (key, Tensor.stacked(examples.map { $0[key]! })) })
    }
  }
}
