// swift-tools-version: 6.2
import PackageDescription

/// The house settings of every Swift target.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

/// A library target under Sources/ together with its tests under Tests/, where it has any.
func module(
  _ name: String, _ dependencies: [Target.Dependency], tests: [Target.Dependency]? = [], exclude: [String] = [], resources: [Resource]? = nil
) -> [Target] {
  let library = Target.target(name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: strict)
  guard let tests else { return [library] }
  return [
    library,
    .testTarget(
      name: "\(name)Tests", dependencies: [.init(stringLiteral: name)] + dependencies + tests,
      swiftSettings: [.enableUpcomingFeature("ExistentialAny"), .treatAllWarnings(as: .error)]),
  ]
}

/// Logarithms and cosines of whole vectors, which glibc offers on this processor.
#if arch(x86_64) && os(Linux)
  let vectorMathematics = ["-fno-math-errno", "-fveclib=libmvec"]
#else
  let vectorMathematics = ["-fno-math-errno"]
#endif

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "PSImageNet",
  products: [
    .executable(name: "psimagenet", targets: ["psimagenet"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
  ],
  targets: [
    // What tests of several modules need.
    .target(name: "TestSupport", dependencies: ["Host"], path: "Tests/TestSupport", swiftSettings: strict),
    // C libraries: one module map each.
    .systemLibrary(name: "CDNNL", providers: [.apt(["libdnnl-dev"])]),
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev", "libopenblas-openmp-dev"])]),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5-serial", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
    .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
    .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(name: "CLBFGS", pkgConfig: "liblbfgs", providers: [.apt(["liblbfgs-dev"])]),
    .target(
      name: "CImageCodecs", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
      linkerSettings: [.linkedLibrary("png"), .linkedLibrary("jpeg"), .linkedLibrary("tiff")]),
    // Filters of HDF5 chunks beside the library's own.
    .target(
      name: "CChunkFilters", dependencies: ["CHDF5"], cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
      linkerSettings: [.linkedLibrary("lz4")]),
    // Loops over the pixels of a panel, for several instruction sets.
    .target(name: "CPixels", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    // Random numbers many at a time, with the vector mathematics of the C library.
    .target(name: "CRandom", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"] + vectorMathematics)], linkerSettings: [.linkedLibrary("m")]),
    // Loops that no library offers. GNU OpenMP runs them on the team that oneDNN uses.
    .target(
      name: "CKernels", dependencies: ["CRandom"], cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
      linkerSettings: [.linkedLibrary("gomp"), .linkedLibrary("m")]),
  ]
    + module("Tensors", ["CRandom"])
    + module("Host", [crypto, "CXXHash"])
    + module("Graphs", ["Tensors"])
    + module("Networks", ["Graphs", "Tensors"], tests: ["Host"])
    + module("Engine", ["Graphs", "Tensors", "CDNNL", "COpenBLAS", "CKernels"], tests: ["Networks"])
    + module("Frames", ["Tensors", "Host", "CHDF5", "CChunkFilters", "CDeflate", "CZip", "CImageCodecs", "CPixels"], tests: ["TestSupport"])
    + module("Simulation", ["Frames", "Tensors", "Host"])
    + module("Instruments", ["Frames", "Tensors", "Host"], tests: ["TestSupport", "Simulation"])
    + module("Corpora", ["Instruments", "Frames", "Tensors", "Host", yams], tests: ["TestSupport", "Simulation"])
    + module("Exports", ["Corpora", "Frames", "Tensors", "Host", "CArchive"])
    + module("Pretexts", ["Networks", "Graphs", "Tensors", "Host"], tests: ["Engine"])
    + module("TensorBoard", ["Host", protobuf], exclude: ["generate.sh", "tensorboard_event.proto"])
    + module(
      "Training", ["TensorBoard", "Engine", "Pretexts", "Corpora", "Networks", "Graphs", "Tensors", "Host", yams],
      tests: ["TestSupport", "Frames"], resources: [.embedInCode("Recipes")])
    + module("Evaluation", ["Training", "Engine", "Pretexts", "Corpora", "Networks", "Graphs", "Tensors", "Host", "COpenBLAS", "CLBFGS"], tests: ["Frames"])
    + module("Cues", ["Evaluation", "Training", "Engine", "Pretexts", "Corpora", "Frames", "Networks", "Graphs", "Tensors", "Host"])
    + module("Audits", ["Cues", "Evaluation", "Corpora", "Frames", "Tensors", "Host"], tests: ["TestSupport", "Simulation"])
    + module("Publishing", ["Training", "Engine", "Pretexts", "Networks", "Graphs", "Corpora", "Tensors", "Host"], tests: ["TestSupport"])
    + module("Benchmarks", ["Training", "Pretexts", "Corpora", "Frames", "Engine", "Networks", "Graphs", "Tensors", "Host"])
    + module("Reports", ["Audits", "Cues", "Evaluation", "Training", "Pretexts", "Corpora", "Instruments", "Frames", "Host", "Tensors"])
    + [
      .executableTarget(
        name: "psimagenet",
        dependencies: [
          "Simulation", "Frames", "Instruments", "Corpora", "Exports", "Pretexts", "Training", "Benchmarks", "Evaluation", "Cues", "Audits", "Publishing", "Reports", "Engine",
          "Networks", "Graphs", "Tensors", "Host", arguments,
        ],
        swiftSettings: strict)
    ]
)
