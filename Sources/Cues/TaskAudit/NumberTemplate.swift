import Tensors

/// What a linear template knows of answers that are numbers: for regression what `TemplateClassifier` is for classes.
///
/// Each answer y has the direction d_i = cov(x_i, y)/var(x_i) over the inputs x_i, as if those were independent, and is answered by
/// ȳ + b·Σ d_i (x_i − x̄_i). The slope b is fitted to examples that did not tell the direction, so that inputs that say nothing
/// leave the mean, ȳ.
struct NumberTemplate {
  private let means: [Double]
  private let directions: [[Double]]
  /// Answer = offset + slope · score.
  private var lines: [(offset: Double, slope: Double)]

  /// Sums over examples.
  struct Sums {
    private(set) var count = 0.0
    private(set) var inputs: [Double], squares: [Double], answers: [Double], products: [[Double]]

    init(width: Int, answers count: Int) {
      (inputs, squares) = (Array(repeating: 0, count: width), Array(repeating: 0, count: width))
      answers = Array(repeating: 0, count: count)
      products = Array(repeating: inputs, count: count)
    }

    mutating func add(_ input: [Float], _ answer: [Float]) {
      precondition(input.count == inputs.count && answer.count == answers.count, "\(input.count) numbers for \(inputs.count)")
      count += 1
      for i in input.indices where input[i] != 0 {
        inputs[i] += Double(input[i])
        squares[i] += Double(input[i]) * Double(input[i])
      }
      for (k, y) in answer.enumerated() {
        answers[k] += Double(y)
        NumberTemplate.Sums.add(input, times: Double(y), to: &products[k])
      }
    }

    private static func add(_ input: [Float], times y: Double, to sums: inout [Double]) {
      let values = input.span
      var sum = sums.mutableSpan
      for i in values.indices { sum[i] += y * Double(values[i]) }
    }
  }

  /// Traps without examples.
  init(_ sums: Sums) {
    precondition(sums.count > 0, "no examples for a template")
    let n = sums.count, means = sums.inputs.map { $0 / n }, variances = zip(sums.squares, means).map { max(0, $0 / n - $1 * $1) }
    // A number that never varies tells nothing (gaps), and one that hardly does must not shout.
    let floor = 1e-3 * Statistics.mean(variances)
    self.means = means
    directions = zip(sums.products, sums.answers).map { products, total in
      means.indices.map { i in variances[i] > 0 ? (products[i] / n - means[i] * total / n) / max(variances[i], floor) : 0 }
    }
    lines = sums.answers.map { ($0 / n, 0) }
  }

  /// Σ d_i (x_i − x̄_i) for each number.
  func scores(_ input: [Float]) -> [Double] {
    directions.map { direction in
      var sum = 0.0
      for i in input.indices { sum += direction[i] * (Double(input[i]) - means[i]) }
      return sum
    }
  }

  /// Fits the lines to examples by least squares.
  mutating func calibrate(_ examples: [(scores: [Double], answer: [Float])]) {
    guard examples.count > 1 else { return }
    for k in lines.indices {
      let x = examples.map { $0.scores[k] }, y = examples.map { Double($0.answer[k]) }, (mx, my) = (Statistics.mean(x), Statistics.mean(y))
      let variance = x.reduce(0) { $0 + ($1 - mx) * ($1 - mx) }, common = zip(x, y).reduce(0) { $0 + ($1.0 - mx) * ($1.1 - my) }
      let slope = variance > 0 ? common / variance : 0
      lines[k] = (my - slope * mx, slope)
    }
  }

  func answer(_ input: [Float]) -> [Float] {
    zip(scores(input), lines).map { Float($1.offset + $1.slope * $0) }
  }
}
