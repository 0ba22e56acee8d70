#!/usr/bin/env python3
"""Opt-in: lets scikit-learn judge the linear and the nearest-neighbour probe.

The test `fitsAreExportedForScikitLearn` (EvaluationTests) writes its data and results to the folder named by
PSIMAGENET_PEER_FOLDER; this script fits the same data and compares.

    pip install numpy scikit-learn
    PSIMAGENET_PEER_FOLDER=/some/folder swift test -c release --filter fitsAreExportedForScikitLearn
    python3 Tests/Peers/compare_sklearn.py /some/folder
"""
import json
import pathlib
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

folder = pathlib.Path(sys.argv[1])
failures = 0


def check(name, ours, theirs, tolerance):
    global failures
    worst = float(np.max(np.abs(np.asarray(ours) - np.asarray(theirs))))
    verdict = "equal" if worst <= tolerance else "DIFFERENT"
    failures += worst > tolerance
    print(f"{name}: largest difference {worst:.3g} (allowed {tolerance:g}): {verdict}")


cases = sorted(folder.glob("case-*.json"))
if not cases:
    sys.exit(f"{folder}: expected case-*.json, found none")
for path in cases:
    case = json.loads(path.read_text())
    width = case["width"]
    train = np.array(case["train"], dtype=np.float32).reshape(-1, width).astype(float)
    test = np.array(case["test"], dtype=np.float32).reshape(-1, width).astype(float)
    labels, truth = np.array(case["labels"]), np.array(case["truth"])
    classes = sorted(set(labels))
    scaler = StandardScaler().fit(train)
    x, y = scaler.transform(train), scaler.transform(test)

    # With balanced weights the weights sum to N. For two classes scikit-learn has one vector w = W1 - W0, W1 = -W0.
    two = len(classes) == 2
    c = (2 if two else 1) / (case["strength"] * len(labels))
    model = LogisticRegression(C=c, class_weight="balanced", tol=1e-10, max_iter=100000).fit(x, labels)
    weight, bias = np.array(case["weight"]).reshape(-1, width), np.array(case["bias"])
    if two:
        check(f"{path.name} weight", weight[1] - weight[0], model.coef_[0], 1e-5)
        check(f"{path.name} bias", bias[1] - bias[0], model.intercept_[0], 1e-5)
    else:
        check(f"{path.name} weight", weight, model.coef_, 1e-5)
        check(f"{path.name} bias", bias - bias.mean(), model.intercept_ - model.intercept_.mean(), 1e-5)
    check(f"{path.name} linear labels", case["linear"], model.predict(y), 0)
    check(f"{path.name} balanced accuracy", case["balancedAccuracy"], balanced_accuracy_score(truth, model.predict(y)), 1e-12)

    # One neighbour: no ties of votes, whose rules differ.
    near = KNeighborsClassifier(n_neighbors=1, algorithm="brute").fit(x, labels)
    check(f"{path.name} nearest labels", case["nearest"], near.predict(y), 0)
sys.exit(1 if failures else 0)
