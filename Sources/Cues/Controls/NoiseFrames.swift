import Host
import Pretexts
import Tensors

/// White noise in place of pictures: what is still answered was made by the program.
public struct NoiseFrames: TaskControl {
  public static let name = "noise frames"
  public static let meaning = "the making of the examples itself tells the answer"
  public static let remedies: [Remedy] = [.labels]

  public init() {}

  /// Frames twice as large as the pictures, odd and even, go through the area average that corpus pictures go through.
  public func finding(_ subject: TaskSubject) throws -> ControlFinding {
    let side = subject.examiner.side, scaling = subject.examiner.scaling, seed = subject.seed
    let frames = subject.made(subject.examples) { index in
      // An average of four pixels has half the noise.
      NoiseFrames.frame(index, side: 2 * side + (index & 1), mean: scaling.mean, deviation: 2 * scaling.deviation, seed: seed, stream: 1)
        .resampled(toHeight: side, width: side)
    }
    return try subject.mustBeChance(NoiseFrames.self, frames)
  }

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
