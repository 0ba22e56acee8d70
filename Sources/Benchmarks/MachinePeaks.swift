import Dispatch
import Engine
import Graphs
import Synchronization
import Tensors

/// What this machine reaches at most, measured on it: the marks beside which figures stand.
///
/// Lower bounds: each is the best of several ways and sizes, and of several repetitions, whatever else ran meanwhile.
public struct MachinePeaks: Codable, Hashable, Sendable {
  public struct Peak: Codable, Hashable, Sendable {
    /// GF/s of a product, GB/s of memory.
    public let value: Double
    /// Which way was the best one, such as `oneDNN product 2048`.
    public let way: String
    /// Every way tried, with its best.
    public let tried: [String: Double]

    init(_ tried: [String: Double]) {
      let best = tried.max { $0.value < $1.value }
      (value, way, self.tried) = (best?.value ?? 0, best?.key ?? "", tried)
    }
  }

  /// GF/s of matrix products in float32.
  public let float32: Peak
  /// GF/s of matrix products in bfloat16, summed in float32; `nil` where the machine cannot.
  public let bfloat16: Peak?
  /// GB/s of a triad `a = b + s·c` over arrays beyond the last-level cache, with the 12 bytes per element that STREAM counts.
  /// Source: McCalpin, STREAM.
  public let bandwidth: Peak

  public func product(_ precision: Precision) -> Double? { precision == .float32 ? float32.value : bfloat16?.value }

  /// - Parameters:
  ///   - sizes: extents of the square products; the convolutions have as many channels as the smaller ones.
  ///   - repetitions: of each way; the best counts.
  ///   - cacheBytes: of the last-level cache; each of the triad's arrays is four times as large, and at least 64 MiB.
  /// Cost: about 10 s with the defaults.
  public static func measure(
    sizes: [Int] = [1024, 2048], repetitions: Int = 5, cacheBytes: Int = BenchMachine.lastLevelCacheBytes() ?? 0
  ) throws(EngineError) -> MachinePeaks {
    var float32: [String: Double] = [:], bfloat16: [String: Double]? = [:]
    for size in sizes {
      float32["OpenBLAS product \(size)"] = blas(size, repetitions)
      float32["oneDNN product \(size)"] = try best(productChain(size, length: 4), .float32, repetitions)
      let chain = convolutionChain(channels: size, side: 64, length: 4)
      float32["oneDNN 1×1 convolution \(size)"] = try best(chain, .float32, repetitions)
      do {
        let long = convolutionChain(channels: size, side: 64, length: 16)
        bfloat16?["oneDNN 1×1 convolution \(size)"] = try best(long, .bfloat16, repetitions)
      } catch {
        // Status 3: this processor has no bfloat16.
        guard case .library(_, _, 3) = error else { throw error }
        bfloat16 = nil
      }
    }
    return MachinePeaks(
      float32: Peak(float32), bfloat16: bfloat16.map { Peak($0) },
      bandwidth: Peak(["triad": Triad.bandwidth(bytesPerArray: max(64 << 20, 4 * cacheBytes), repetitions: repetitions)]))
  }

  private static func blas(_ n: Int, _ repetitions: Int) -> Double {
    let a = noise(n * n, scale: 1), b = noise(n * n, scale: 1)
    var c = [Float](repeating: 0, count: n * n), time = Double.infinity
    let clock = ContinuousClock()
    for _ in 0...repetitions {
      let began = clock.now
      BLAS.gemm(rows: n, columns: n, inner: n, a.span, b.span, into: &c)
      time = min(time, (clock.now - began).milliseconds)
    }
    return 2 * Double(n) * Double(n) * Double(n) / time / 1e6
  }

  /// Products one after the other with the same weights, so that feeding and reading, once per run, hardly count.
  private static func productChain(_ n: Int, length: Int) -> Program {
    let builder = GraphBuilder(), x = builder.input("x", [n, n]), w = builder.input("w", [n, n])
    var y = x
    for _ in 0..<length { y = y.times(w) }
    return Program(inputs: ["x": x], parameters: [Parameter(path: "w", value: w)], outputs: ["y": y])
  }

  /// A 1×1 convolution is a product `[side², channels]·[channels, channels]`, and the engine runs it in bfloat16 too.
  private static func convolutionChain(channels: Int, side: Int, length: Int) -> Program {
    let builder = GraphBuilder(), x = builder.input("x", [1, channels, side, side]), w = builder.input("w", [channels, channels, 1, 1])
    var y = x
    for _ in 0..<length { y = y.convolved(with: w) }
    return Program(inputs: ["x": x], parameters: [Parameter(path: "w", value: w)], outputs: ["y": y.globalAverage()])
  }

  private static func best(_ program: Program, _ precision: Precision, _ repetitions: Int) throws(EngineError) -> Double {
    let plan = try Plan(program, precision: precision), shape = program.inputs["x"]!.shape
    var weights = Weights(program.parameters)
    // Of such a size that products neither grow nor fade.
    weights.storage = noise(weights.storage.count, scale: 1 / Double(shape[1]).squareRoot())
    let fields = ["x": Tensor(shape, noise(shape.count, scale: 1))], clock = ContinuousClock()
    var time = Double.infinity
    for _ in 0...repetitions {
      let began = clock.now
      _ = try plan.evaluate(fields, weights)
      time = min(time, (clock.now - began).milliseconds)
    }
    return Double(program.floatingPointOperations) / time / 1e6
  }

  private static func noise(_ count: Int, scale: Double) -> [Float] {
    var random = Philox(seed: 1)
    return (0..<count).map { _ in Float(random.uniform(-1.7 * scale, 1.7 * scale)) }
  }
}

/// `a = b + s·c` over arrays that no cache holds, one stretch per thread.
final class Triad: Sendable {
  /// A stretch of the three arrays in vectors of 64 bytes.
  private struct Stretch {
    var a: [SIMD16<Float>]
    let b: [SIMD16<Float>]
    let c: [SIMD16<Float>]
  }
  private let stretch: Mutex<Stretch>

  private init(vectors: Int) {
    let fill = { (value: Float) in [SIMD16<Float>](repeating: .init(repeating: value), count: vectors) }
    stretch = Mutex(Stretch(a: fill(0), b: fill(1), c: fill(2)))
  }

  private func run(_ s: Float) {
    stretch.withLock { stretch in
      for i in stretch.a.indices { stretch.a[i] = stretch.b[i] + s * stretch.c[i] }
    }
  }

  /// Best GB/s of `repetitions`; 12 bytes per element and run.
  static func bandwidth(bytesPerArray: Int, repetitions: Int, threads: Int = EngineThreads.count) -> Double {
    let vectors = max(1, bytesPerArray / 64 / threads), parts = (0..<threads).map { _ in Triad(vectors: vectors) }
    let clock = ContinuousClock()
    var time = Double.infinity
    for repetition in 0...repetitions {
      let began = clock.now
      DispatchQueue.concurrentPerform(iterations: threads) { parts[$0].run(Float(repetition)) }
      time = min(time, (clock.now - began).milliseconds)
    }
    return 3 * Double(vectors * 64 * threads) / time / 1e6
  }
}
