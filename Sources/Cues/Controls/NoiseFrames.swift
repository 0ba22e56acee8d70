import Host
import Pretexts
import Tensors

/// White noise in place of pictures: what is still answered was made by the program.
public struct NoiseFrames: TaskControl {
  public static let name = "noise frames"
  public static let meaning = "the making of the examples itself tells the answer"
  public static let remedies: [Remedy] = [.labels]

  public init() {}

  /// Frames twice as large as the pictures, odd and even, go through the area average that corpus pictures go through. Which they are does not go
  /// with the answers that made-up pictures have in turn.
  ///
  /// Where each picture is to be found among a batch, all pictures of a batch are one and the same noise: different ones would be told
  /// apart, and rightly. What is still found there, the making of two views has put into both.
  public func finding(_ subject: TaskSubject) throws -> ControlFinding {
    let side = subject.examiner.side, scaling = subject.examiner.scaling, seed = subject.seed, classes = max(1, subject.examiner.classes.count)
    @Sendable func noise(_ index: Int) -> MaskedImage {
      // An average of four pixels has half the noise.
      NoiseFrames.frame(index, side: NoiseFrames.side(ofFrame: index, of: side, classes: classes), mean: scaling.mean, deviation: 2 * scaling.deviation, seed: seed, stream: 1)
        .resampled(toHeight: side, width: side)
    }
    guard subject.examiner.question.isAskedAmongABatch else {
      return try subject.mustBeChance(NoiseFrames.self, subject.made(subject.examples) { noise($0) })
    }
    let batch = subject.examiner.batchSize, batches = (subject.examples + batch - 1) / batch, frames = min(NoiseFrames.frames, batches)
    var sheet: AnswerSheet?
    for index in 0..<frames {
      let frame = noise(index), pictures = Pictures(runs: Array(repeating: index, count: batch)) { _ in frame }
      let own = try subject.examiner.sheet(of: pictures, count: (batches + frames - 1) / frames * batch, seed: seed)
      if sheet == nil { sheet = own } else { sheet?.append(own) }
    }
    return subject.mustBeChance(NoiseFrames.self, sheet!)
  }

  /// Twice `side`, and one more for every other round through the answers.
  package static func side(ofFrame index: Int, of side: Int, classes: Int) -> Int { 2 * side + (index / classes & 1) }

  /// Different ones, where a batch is of one.
  private static let frames = 32

  static func frame(_ index: Int, side: Int, mean: Double, deviation: Double, seed: UInt64, stream: UInt64) -> MaskedImage {
    var random = Philox(seed: seed, 80, stream, UInt64(index))
    let table = NormalTable.standard, mean = Float(mean), sigma = Float(deviation)
    var pixels = [Float](repeating: 0, count: side * side)
    for first in stride(from: 0, to: pixels.count, by: 4) {
      var bits = random.next()
      for i in first..<min(first + 4, pixels.count) {
        pixels[i] = mean + sigma * table[UInt16(truncatingIfNeeded: bits)]
        bits >>= 16
      }
    }
    return MaskedImage(pixels: Tensor([side, side], pixels), weight: Tensor(repeating: 1, [side, side]))
  }
}
